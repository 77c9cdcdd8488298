import type { Pool } from 'pg';
import type { Reach } from '../accounts/reach.ts';
import type { AcceptedEvent, AccountedIntegration } from '../completeness/account.ts';
import { readEventsOfForm } from '../completeness/accepted-events.ts';
import { integrationsOf } from '../completeness/accounted-integrations.ts';
import type { Id } from '../events/id.ts';
import { integrationsById } from '../integrations/enabled-integrations.ts';
import { openIntegration, type OpeningDeps } from '../integrations/open-integration.ts';
import { UserError } from '../user-error.ts';
import { estimatedMs } from './estimate.ts';
import type { ReplayTask } from './replay-task.ts';
import { shouldReplay } from './should-replay.ts';

/** What a replay would send to one integration. */
export interface ReplayEndpoint {
  integrationId: Id<'intg'>;
  count: number;
  /** When the first and the last of these events were accepted; null where there is none. */
  first: Date | null;
  last: Date | null;
  /** It is left out, unless messages to people are to be sent again too. */
  reachesPeople: boolean;
  /** At least. */
  estimatedMs: number;
}

/** What a replay would do, by what is recorded now. */
export interface ReplayPlan {
  task: ReplayTask;
  /** Events in the range, of any type, that it looks at. */
  events: number;
  endpoints: ReplayEndpoint[];
}

export interface PlanDeps extends OpeningDeps {
  /** For rows: may be restricted to an organisation. */
  reads: Pool;
  pool: Pool;
}

/** Some seconds of work. */
export const maxEvents = 200_000;
/** One request names so many, and each is a job of its own. */
export const maxIntegrations = 100;
const pageSize = 2_000;

/**
 * Finds what a replay would send: nothing is written. `integrationIds` absent: to all integrations that get deliveries
 * of the form. Throws UserError where one of those named cannot be sent to, and where the range has too many events.
 */
export async function planReplay(deps: PlanDeps, request: { reach: Reach; task: ReplayTask; integrationIds: readonly string[] | undefined }): Promise<ReplayPlan> {
  const { reach, task, integrationIds } = request;
  const integrations = await chooseIntegrations(deps, { reach, formId: task.formId, integrationIds });
  const found = new Map(integrations.map(({ id }) => [id, { count: 0, first: null as Date | null, last: null as Date | null }]));
  let events = 0;
  for (let after = task.after; ; ) {
    const page = await readEventsOfForm(deps.reads, { ...rangeOf(task), after, limit: pageSize });
    for (const integration of integrations) for (const event of page) if (shouldReplay(event, { integration, task })) count(found.get(integration.id), event);
    events += page.length;
    after = page.at(-1)?.position ?? after;
    if (page.length < pageSize) break;
    if (events >= maxEvents) throw new UserError('TOO_MANY', `There are more than ${maxEvents} events in this time: replay it in several parts.`, ['since']);
  }
  return { task, events, endpoints: await describeEndpoints(deps, { task, found }) };
}

export const rangeOf = ({ formId, since, until, through }: ReplayTask) => ({ formId, since: new Date(since), until: new Date(until), through });

type Found = Pick<ReplayEndpoint, 'count' | 'first' | 'last'>;

function count(found: Found | undefined, { acceptedAt }: AcceptedEvent): void {
  if (!found) return;
  found.count += 1;
  found.first ??= acceptedAt;
  found.last = acceptedAt;
}

async function chooseIntegrations(
  { reads, providerNamed }: PlanDeps,
  { reach, formId, integrationIds }: { reach: Reach; formId: Id<'form'>; integrationIds: readonly string[] | undefined },
): Promise<AccountedIntegration[]> {
  const there = (await integrationsOf(reads, { reach, formId })).filter(({ isDeleted }) => !isDeleted);
  const providers = new Map((await integrationsById(reads, there.map(({ id }) => id))).map(({ id, provider }) => [id, providerNamed(provider)]));
  const able = there.filter(({ id }) => providers.get(id)?.deliver);
  const chosen = integrationIds ? able.filter(({ id }) => integrationIds.includes(id)) : able;
  const unknown = [...new Set(integrationIds)].filter((id) => !able.some((one) => one.id === id));
  if (unknown.length > 0) throw new UserError('NOT_FOUND', `The form has no integration with the id ${unknown[0]} that gets deliveries and is not deleted.`, ['integrationIds']);
  if (chosen.length > maxIntegrations) throw new UserError('TOO_MANY', `A replay goes to at most ${maxIntegrations} integrations; name them.`, ['integrationIds']);
  if (chosen.length === 0) throw new UserError('NOT_FOUND', 'The form has no integration that gets deliveries.', ['integrationIds']);
  return chosen;
}

async function describeEndpoints(deps: PlanDeps, { task, found }: { task: ReplayTask; found: ReadonlyMap<Id<'intg'>, Found> }): Promise<ReplayEndpoint[]> {
  const integrations = await integrationsById(deps.reads, [...found.keys()]);
  return integrations.toSorted((one, other) => (one.id < other.id ? -1 : 1)).map((integration) => {
    const numbers = found.get(integration.id) ?? { count: 0, first: null, last: null };
    const opened = openIntegration(deps, integration);
    const provider = deps.providerNamed(integration.provider);
    return {
      integrationId: integration.id,
      ...numbers,
      reachesPeople: provider?.reachesPeople ?? false,
      estimatedMs: 'unusable' in opened
        ? Math.ceil((numbers.count * 1_000) / task.rate)
        : estimatedMs({ count: numbers.count, rate: task.rate, provider: opened.provider, settings: opened.integration.settings }),
    };
  });
}
