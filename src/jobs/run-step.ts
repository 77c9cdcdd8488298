import type { Pool } from 'pg';
import type { CallContext, FormShape } from '../../integrations/provider.ts';
import { isDatabaseTrouble } from '../database-trouble.ts';
import type { Event } from '../events/event.ts';
import type { PublishedForms } from '../forms/published-forms.ts';
import { integrationsById, type EnabledIntegration } from '../integrations/enabled-integrations.ts';
import { readFormShape } from '../integrations/form-shape.ts';
import { openIntegration, type OpeningDeps } from '../integrations/open-integration.ts';
import { quotasOf } from '../quotas/quotas-of.ts';
import { reserveTurn } from '../quotas/reserve-turn.ts';
import { replay } from '../replays/replay.ts';
import type { EventEntry } from '../responses/rebuild-events.ts';
import { pause } from '../run.ts';
import type { ClaimedJob } from './claim-jobs.ts';
import { backfill } from './backfill.ts';
import { connect, type Connected } from './connect.ts';
import { disconnect } from './disconnect.ts';
import type { Step, StepEnd } from './step.ts';
import { verify } from './verify.ts';

export interface StepDeps extends OpeningDeps {
  pool: Pool;
  forms: PublishedForms;
  callContext: (integration: EnabledIntegration, signal: AbortSignal) => CallContext<unknown>;
  /** Makes events of stored responses; those whose response is erased are left out. */
  rebuild: (entries: readonly EventEntry[]) => Promise<Event[]>;
  /** Pending deliveries are there; must not wait or throw. */
  onDue: () => void;
}

/** How a step ended, and what it found of its integration. */
export interface Ended {
  end: StepEnd;
  integration: EnabledIntegration | undefined;
  connected?: Connected;
}

/** How long one step may take: it may be many calls to the outside service. */
const stepMs = 120_000;

/** Runs one step of a job, until `signal` aborts. Never throws: a provider that does has a bug, and is retried. */
export async function runStep(deps: StepDeps, job: ClaimedJob, signal: AbortSignal): Promise<Ended> {
  let integration: EnabledIntegration | undefined;
  try {
    [integration] = await integrationsById(deps.pool, [job.integrationId]);
    if (!integration) throw new Error(`${job.integrationId} is missing`);
    const opened = openIntegration(deps, integration);
    if ('unusable' in opened) return { end: { status: 'blocked', reason: opened.unusable }, integration };
    const limited = AbortSignal.any([signal, AbortSignal.timeout(stepMs)]);
    const step = { job, ...opened, context: deps.callContext(opened.integration, limited) };
    return { ...(await take(deps, step, limited)), integration };
  } catch (error) {
    return { end: endOf(error, { deps, job }), integration };
  }
}

async function take(deps: StepDeps, step: Step, signal: AbortSignal): Promise<Omit<Ended, 'integration'>> {
  const takeTurn = () => turnAt(deps, step, signal);
  switch (step.job.kind) {
    case 'connect': {
      const connected = await connect({ takeTurn, readForm: () => readForm(deps, step.integration) }, step);
      return { end: connected.end, connected };
    }
    case 'disconnect':
      return { end: await disconnect({ takeTurn }, step) };
    case 'backfill':
      return { end: await backfill(deps, step) };
    case 'verify':
      return { end: await verify({ ...deps, takeTurn }, step) };
    case 'replay':
      return { end: await replay(deps, step) };
  }
}

/** As it is stored: what this process remembers may be from before the change that the job was asked for. */
async function readForm({ pool, forms }: StepDeps, { formId }: EnabledIntegration): Promise<FormShape | undefined> {
  if (!formId) return undefined;
  forms.forget(formId);
  return readFormShape({ pool, forms }, { formId });
}

async function turnAt({ pool }: StepDeps, { provider, integration }: Step, signal: AbortSignal): Promise<void> {
  await pause(await reserveTurn(pool, quotasOf(provider, integration)), signal);
}

function endOf(error: unknown, { deps, job }: { deps: StepDeps; job: ClaimedJob }): StepEnd {
  const { log } = deps;
  if (isDatabaseTrouble(error)) return { status: 'throttled', reason: 'The database could not be reached.', afterMs: 5_000 };
  log.error({ jobId: job.id, integrationId: job.integrationId, kind: job.kind, err: error }, 'job.failed');
  return { status: 'retry', error: 'PROVIDER_FAULT', reason: 'An internal error; it is logged.' };
}
