import type { PoolClient } from 'pg';
import { reportHealth } from '../integrations/enabled-integrations.ts';
import { inTransaction } from '../transaction.ts';
import { settleJob, type ClaimedJob } from './claim-jobs.ts';
import { faultAfter } from './connect.ts';
import type { Ended, StepDeps } from './run-step.ts';
import { settlementOf } from './step.ts';

/** In the order of the mutations: the integration's row, then its job's. */
const lockIntegration = 'select 1 from integrations where id = $1 for no key update';

const noteFindings = `
  update integrations set fault = $2, resource_url = coalesce($3, resource_url)
  where id = $1 and deleted_at is null`;

/**
 * Writes how a step ended, with what it found of its integration, in one commit. False: the claim was lost meanwhile,
 * and nothing is written.
 */
export function conclude({ pool, scheduleMs }: Pick<StepDeps, 'pool'> & { scheduleMs: readonly number[] }, job: ClaimedJob, ended: Ended): Promise<boolean> {
  const settlement = settlementOf(ended.end, { attempts: job.attempts, scheduleMs, random: Math.random() });
  return inTransaction(pool, async (client) => {
    await client.query(lockIntegration, [job.integrationId]);
    if (!(await settleJob(client, job, settlement))) return false;
    if (ended.connected) {
      const { connected } = ended;
      await client.query(noteFindings, [job.integrationId, faultAfter(connected, settlement), connected.resourceUrl ?? null]);
    }
    await disableBroken(client, ended);
    return true;
  });
}

async function disableBroken(client: PoolClient, { end, integration }: Ended): Promise<void> {
  if (end.status === 'broken' && integration) await reportHealth(client, { integration, status: 'disabled', reason: end.reason });
}
