import type { Pool } from 'pg';
import type { CallContext, HttpClient } from '../../integrations/provider.ts';
import { noteTrackings } from '../deliveries/note-trackings.ts';
import type { PublishedForms } from '../forms/published-forms.ts';
import { openLedger } from '../ledger/ledger.ts';
import type { Log } from '../log.ts';
import type { EnabledIntegration } from './enabled-integrations.ts';
import { readFormShape } from './form-shape.ts';
import { secretsAt } from './signing-secrets.ts';

export interface CallContextDeps {
  pool: Pool;
  forms: PublishedForms;
  http: HttpClient;
  log: Log;
  /** Where this installation can be called from outside, without a slash at the end. */
  publicUrl: string | undefined;
  /** Where outside services stand that are not where their makers put them, by name. */
  serviceUrls: Readonly<Record<string, string>>;
}

/** Of an integration with its settings opened. */
export type CallableIntegration = Pick<EnabledIntegration, 'id' | 'formId' | 'settings' | 'secrets' | 'secretEnds'>;

/** What a call of an integration's provider may use, until `signal` aborts. */
export function callContext(deps: CallContextDeps, integration: CallableIntegration, signal: AbortSignal): CallContext<unknown> {
  const { id, formId, settings } = integration;
  const { pool, forms, http, log, publicUrl, serviceUrls } = deps;
  return {
    integrationId: id,
    settings,
    secrets: secretsAt(integration, new Date()),
    signal,
    http,
    ledger: openLedger(pool, id),
    log: (event, about) => log.info({ ...about, integrationId: id, isVerbatim: true }, event),
    now: () => new Date(),
    form: async (atLeast) => (formId ? readFormShape({ pool, forms }, { formId, atLeast }) : undefined),
    callbackUrl: publicUrl && `${publicUrl}/callbacks/${id}`,
    track: (trackings) => noteTrackings(pool, { integrationId: id, trackings }),
    serviceUrl: (name) => serviceUrls[name],
  };
}
