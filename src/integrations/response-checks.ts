import type { Pool } from 'pg';
import type { Finding, FormShape, Provider } from '../../integrations/provider.ts';
import type { Id } from '../events/id.ts';
import type { Scope } from '../expressions/value-type.ts';
import type { PublishedForm } from '../forms/published-forms.ts';
import { createBoundedCache } from '../bounded-cache.ts';
import type { Log } from '../log.ts';
import { scopeReader } from '../responses/answer-values.ts';
import type { StoredAnswers } from '../responses/response.entity.ts';
import type { Sealer } from '../sealing.ts';
import { checksResponses } from './checks-responses.ts';
import { readEmail, shapeOf } from './form-shape.ts';
import type { Integration } from './integration.entity.ts';
import { openSettings } from './sealed-settings.ts';

export interface ResponseChecksDeps {
  pool: Pool;
  providerNamed: (name: string) => Provider | undefined;
  sealer: Sealer;
  log: Log;
}

/** A finding with the integration that made it. */
export type IntegrationFinding = Finding & { integrationId: Id<'intg'> };

/** Looks at the answers of a response to one version of a form. Never throws. */
export type ExamineAnswers = (answers: StoredAnswers) => IntegrationFinding[];

/** What the integrations of forms check before a response is accepted. */
export interface ResponseChecks {
  /**
   * The checks of a form as it was read, at least as new as that: what was checked by older ones is not written, since
   * each change of such an integration is another intake of its form.
   */
  of(form: PublishedForm): ExamineAnswers | Promise<ExamineAnswers>;
}

/** By the length of settings as JSON; made ready they take some times as much. */
const maxCachedBytes = 8 * 1024 * 1024;
/** What a form without checks takes. */
const emptyBytes = 200;

export function createResponseChecks(deps: ResponseChecksDeps): ResponseChecks {
  const known = createBoundedCache<Id<'form'>, { form: PublishedForm; examine: ExamineAnswers }>({ maxWeight: maxCachedBytes });
  const reading = new WeakMap<PublishedForm, Promise<ExamineAnswers>>();

  const read = async (form: PublishedForm): Promise<ExamineAnswers> => {
    const integrations = await readChecking(deps, form.id);
    const examine = integrations.length === 0 ? nothing : prepare(deps, { form, integrations, email: await readEmail(deps.pool, form.id) });
    known.set(form.id, { form, examine }, emptyBytes + JSON.stringify(integrations).length);
    return examine;
  };

  return {
    of: (form) => {
      const last = known.get(form.id);
      if (last?.form === form) return last.examine;
      const examine = reading.get(form) ?? read(form).finally(() => reading.delete(form));
      reading.set(form, examine);
      return examine;
    },
  };
}

const nothing: ExamineAnswers = () => [];

type CheckingIntegration = Pick<Integration, 'id' | 'name' | 'provider' | 'events' | 'settings' | 'secrets'>;

/** One that is failing or disabled checks all the same: only its owner lets responses pass it by. */
const selectIntegrations = `
  select id, name, provider, events, settings, secrets from integrations
  where form_id = $1 and deleted_at is null and status <> 'paused'
  order by id`;

async function readChecking({ pool, providerNamed }: ResponseChecksDeps, formId: Id<'form'>): Promise<CheckingIntegration[]> {
  const { rows } = await pool.query<CheckingIntegration>({ name: 'checking-integrations', text: selectIntegrations, values: [formId] });
  return rows.filter((integration) => checksResponses(providerNamed(integration.provider), integration));
}

interface Checked {
  form: PublishedForm;
  integrations: readonly CheckingIntegration[];
  email: string;
}

function prepare(deps: ResponseChecksDeps, { form, integrations, email }: Checked): ExamineAnswers {
  const shape = shapeOf({ ...form, email });
  const scopeOf = scopeReader(form.definition);
  const checks = integrations.map((integration) => prepareOne(deps, { integration, shape }));
  return (answers) => {
    const scope = scopeOf(answers);
    return checks.flatMap((check) => check(scope));
  };
}

/** What keeps an integration from checking is a finding itself: no response passes it by unseen, and none is lost by it. */
function prepareOne(deps: ResponseChecksDeps, { integration, shape }: { integration: CheckingIntegration; shape: FormShape }): (answers: Scope) => IntegrationFinding[] {
  const { id: integrationId, name } = integration;
  const unchecked = (reason: string): IntegrationFinding => ({
    severity: 'flag', rule: 'unchecked', message: `"${name}" could not check this response: ${reason}`, keys: [], integrationId,
  });
  const failed = (error: unknown): IntegrationFinding[] => {
    deps.log.error({ integrationId, formId: shape.id, err: error }, 'response.check_failed');
    return [unchecked('a fault of this server, which is in its log.')];
  };
  const provider = deps.providerNamed(integration.provider);
  if (!provider?.prepareCheck) return () => [unchecked(`its provider ${integration.provider} is not installed.`)];
  try {
    const settings = provider.settings.safeParse(openSettings(provider, integration, deps.sealer).settings);
    if (!settings.success) return () => [unchecked('its settings cannot be read any more; save them anew.')];
    const check = provider.prepareCheck(settings.data, shape);
    return (answers) => {
      try {
        return check(answers).map((finding) => ({ ...finding, integrationId }));
      } catch (error) {
        return failed(error);
      }
    };
  } catch (error) {
    return () => failed(error);
  }
}
