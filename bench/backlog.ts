import { setTimeout as sleep } from 'node:timers/promises';
import { openPipeline } from '../src/bin/compose.ts';
import { parseConfig } from '../src/config.ts';
import { silentLog } from '../src/log.ts';
import { rebuildEvents } from '../src/responses/rebuild-events.ts';
import { householdResponses } from '../test/support/household.ts';
import { testSealer } from '../test/support/sealer.ts';

export interface BacklogOptions {
  databaseUrl: string;
  natsUrl: string;
  formId: string;
  count: number;
}

const publishedWithinMs = 120_000;
const batchSize = 500;

/**
 * Submits responses by a pipeline without a dispatcher, until all of them are in the stream and their rows know where.
 * Answers the bodies of some, as receivers will get them.
 */
export async function createBacklog({ databaseUrl, natsUrl, formId, count }: BacklogOptions): Promise<string[]> {
  const config = parseConfig({ FORMWIRE_ROLES: 'api,relay', FORMWIRE_SWEEP_AFTER: '1s' });
  const pipeline = openPipeline({ config, databaseUrl, natsUrl, sealer: testSealer, allowLoopback: true, log: silentLog });
  const stopping = new AbortController();
  const running = Promise.all(pipeline.runnables.map((runnable) => runnable.run(stopping.signal)));
  try {
    const responses = householdResponses(formId);
    const run = Date.now().toString(36);
    for (let from = 0; from < count; from += batchSize) {
      const some = responses.slice(0, Math.min(batchSize, count - from));
      const results = await pipeline.submitter.submitMany(some.map((response, index) => ({ ...response, clientId: `${run}-${from + index}` })));
      if (results.some((result) => 'faults' in result)) throw new Error('A response of the backlog was refused.');
    }
    for (const giveUpAt = Date.now() + publishedWithinMs; ; await sleep(50)) {
      const { rows } = await pipeline.pool.query<{ waiting: number }>('select count(*)::int as waiting from outbox where published_sequence is null');
      if (rows[0]?.waiting === 0) break;
      if (Date.now() > giveUpAt) throw new Error('The backlog did not get into the stream.');
    }
    const { rows } = await pipeline.pool.query(
      `select position::float8 as position, event_id as "eventId", type, organization_id as "organizationId", form_id as "formId",
              response_id as "responseId", integrations_version as "integrationsVersion" from outbox order by position limit ${batchSize}`,
    );
    const events = await rebuildEvents(pipeline, rows);
    return events.map((event) => Buffer.from(event.body).toString());
  } finally {
    stopping.abort();
    await running;
    await pipeline.close();
  }
}
