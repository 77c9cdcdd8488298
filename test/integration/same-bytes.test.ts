import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { expect, test } from 'vitest';
import type { Json } from '../../src/events/canonical-json.ts';
import type { SubmitResponseInput } from '../../src/responses/submission.ts';
import { ensureStream, streamName } from '../../src/stream/topology.ts';
import { createTestDatabase } from '../support/database.ts';
import { householdInputs } from '../support/household-inputs.ts';
import { startTestNats } from '../support/nats.ts';
import { amendInPipeline, seedForm, seedRules, seedWebhook, startPipeline, waitForTally } from '../support/pipeline.ts';
import { startReceiver } from '../support/receiver.ts';

const awkwardTexts = ['😀 e\u0301 \u2028\u2029 \u202e', '{"a":1}\\u0000\\', '</script><!-- ', "'; drop table responses; --", ' \t line\r\nline ', '\u001e\u007f', '0'.repeat(5_000)];
const awkwardNumbers = [0, 1e21, 1e-7, 123456789012345680000, 5e-324, 1.7976931348623157e308, 2 ** 53, 0.1 + 0.2, 12.5];
const awkwardMetadata: Json[] = [
  { b: 1, a: 2, '10': 3, '9': 4, ä: 5, '': 6 },
  { nested: [{ z: [1, [2, [3]]], toJSON: 'no' }, null, true, -1e-20, 1e20] },
  { constructor: { prototype: 1 }, text: awkwardTexts.join('') },
];

/** The survey's own awkward answers, and more awkward ones than people give. */
function awkwardInputs(formId: string): SubmitResponseInput[] {
  return householdInputs({ formId, count: 120, prefix: 'awkward-' }).map((input, index) => ({
    ...input,
    metadata: awkwardMetadata[index % awkwardMetadata.length],
    respondent: { ...input.respondent, name: awkwardTexts[(index + 1) % awkwardTexts.length]?.slice(0, 500) },
    answers: input.answers.map((answer) => {
      if (index % 2 === 0) return answer;
      if (answer.key === 'name' || answer.key === 'remarks') return { ...answer, value: awkwardTexts[index % awkwardTexts.length] ?? '', metadata: awkwardMetadata[index % 3] ?? null };
      if (answer.key === 'food' || answer.key === 'fuel') return { ...answer, value: awkwardNumbers[index % awkwardNumbers.length] ?? 0 };
      return answer;
    }),
  }));
}

/** The bodies in the stream by event, in hexadecimal. */
async function bodiesInStream(natsUrl: string): Promise<Map<string, string>> {
  const connection = await connect({ servers: natsUrl });
  const { streams } = await jetstreamManager(connection);
  const { state } = await streams.info(streamName);
  const bodies = new Map<string, string>();
  for (let sequence = state.first_seq; sequence <= state.last_seq; sequence += 1) {
    const message = await streams.getMessage(streamName, { seq: sequence });
    if (message) bodies.set(message.header.get('Nats-Msg-Id'), Buffer.from(message.data).toString('hex'));
  }
  await connection.close();
  return bodies;
}

test('an event has the same bytes in the stream, published again by the sweeper, at its first attempt and at a retry', async () => {
  await using database = await createTestDatabase();
  await using nats = await startTestNats();
  await using receiver = await startReceiver({ respond: ({ attempt }) => (attempt === 1 ? 500 : 200) });
  const form = await seedForm(database.url);
  await seedWebhook(database.url, { ...form, url: receiver.url, events: ['response.created', 'response.amended', 'response.flagged', 'response.cleared'] });
  await seedRules(database.url, form);
  const servers = { databaseUrl: database.url, natsUrl: nats.url };
  const connection = await connect({ servers: nats.url });
  await ensureStream(await jetstreamManager(connection), { replicas: 1, maxAgeMs: 3_600_000 });
  const inputs = awkwardInputs(form.formId);
  const amended = 30;

  await using taking = startPipeline({ ...servers, settings: { FORMWIRE_ROLES: 'api' } });
  await expect.poll(async () => (await taking.readiness()).reasons).toEqual([]);
  const results = await taking.submitter.submitMany(inputs);
  const taken = results.flatMap((result) => ('faults' in result ? [] : [result.response]));
  expect(taken).toHaveLength(inputs.length);
  for (const [index, { id }] of taken.slice(0, amended).entries()) {
    const text = awkwardTexts[index % awkwardTexts.length] ?? '';
    const change = { answers: [{ key: 'remarks', value: text }, { key: 'monthly_expenditure', value: index % 3 === 0 ? 0 : 1e9 }, { key: 'monthly_income', value: 2e9 }], respondent: { name: text.slice(0, 500) }, metadata: awkwardMetadata[index % 3] };
    await amendInPipeline(taking, { ...form, responseId: id, expectedRevision: 1, clientId: index % 2 === 0 ? null : `amendment ${index}`, ...change });
  }
  const { rows } = await taking.pool.query<{ type: string; count: number }>('select type, count(*)::int as count from outbox group by type');
  const events = rows.reduce((sum, { count }) => sum + count, 0);
  expect(new Set(rows.map(({ type }) => type))).toEqual(new Set(['response.created', 'response.amended', 'response.flagged', 'response.cleared']));
  await expect.poll(async () => (await bodiesInStream(nats.url)).size, { timeout: 10_000 }).toBe(events);
  const published = await bodiesInStream(nats.url);
  await taking.stop();

  await (await jetstreamManager(connection)).streams.delete(streamName);
  await connection.close();
  await using relaying = startPipeline({ ...servers, settings: { FORMWIRE_ROLES: 'relay' } });
  await expect.poll(() => bodiesInStream(nats.url).then((bodies) => bodies.size, () => 0), { timeout: 10_000 }).toBe(events);
  expect(await bodiesInStream(nats.url)).toEqual(published);

  await using dispatching = startPipeline({ ...servers, settings: { FORMWIRE_ROLES: 'dispatcher', FORMWIRE_LEASE: '20s', FORMWIRE_BREAKER_FAILURES: '1000' } });
  await waitForTally(dispatching.pool, { outbox: 0, delivered: events, pending: 0, attempts: 2 * events });
  for (const attempt of [1, 2]) {
    const received = receiver.requests.filter((request) => request.attempt === attempt);
    expect(new Map(received.map((request) => [request.id, request.body.toString('hex')]))).toEqual(published);
  }
  expect(relaying.dispatcher).toBeUndefined();
});
