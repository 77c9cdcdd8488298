import { jetstreamManager } from '@nats-io/jetstream';
import { connect as connectNats } from '@nats-io/transport-node';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { eventIdOf, type Id } from '../../src/events/id.ts';
import { changeReplay } from '../../src/replays/change-replay.ts';
import { streamName } from '../../src/stream/topology.ts';
import { openTestPool } from '../support/database.ts';
import { startFakeProduct, type FakeProduct } from '../support/fake-product.ts';
import { service } from '../support/fake-provider.ts';
import { startPipeline } from '../support/pipeline.ts';
import { startReceiver, type Receiver } from '../support/receiver.ts';

vi.mock('../../integrations/index.ts', async (original) => (await import('../support/fake-provider.ts')).withFake(await original()));

let product: FakeProduct;
let receiver: Receiver;
let formId: Id<'form'>;
beforeAll(async () => void (product = await startFakeProduct()));
afterAll(() => product[Symbol.asyncDispose]());
beforeEach(async () => {
  service.reset();
  receiver = await startReceiver();
  formId = await product.newForm();
  return () => receiver.close();
});

const since = '2020-01-01T00:00:00Z';
const fields = 'id status mode total made delivered pending dead canceled';
const hook = async (form: string = formId): Promise<Id<'intg'>> =>
  (await product.run('createIntegration', { formId: form, settings: { webhook: { url: receiver.url } } }, 'integration { id }')).integration.id;
const previewFields = 'preview { token count first last estimatedSeconds endpoints { integration { id } count reachesPeople } }';
const preview = async (input: object = {}) => (await product.run('previewReplay', { formId, since, mode: 'EVERYTHING', ...input }, previewFields)).preview;
const start = async (input: object = {}, more: object = {}) => (await product.run('startReplay', { token: (await preview(input)).token, ...more }, `replay { ${fields} }`)).replay;
const replayOf = (id: string, selection = fields) => product.api.call<Record<string, unknown>>(`{ node(id: "${id}") { ... on Replay { ${selection} } } }`);
const ended = async (id: string, status = 'DONE') => {
  await expect.poll(async () => (await replayOf(id))['status'], { timeout: 20_000 }).toBe(status);
  return replayOf(id);
};
const statuses = async (integrationId: string): Promise<Record<string, number>> => {
  const { rows } = await product.pipeline.pool.query('select status, count(*)::int as count from deliveries where integration_id = $1 group by 1', [integrationId]);
  return Object.fromEntries(rows.map(({ status, count }) => [status, count]));
};
const submitted = async (integrationId: string, count: number): Promise<Id<'resp'>[]> => {
  const ids = await product.submit(formId, count);
  await expect.poll(() => statuses(integrationId), { timeout: 20_000 }).toEqual({ delivered: count });
  return ids;
};
const deadOf = async (integrationId: string, responseIds: readonly string[]): Promise<void> =>
  void (await product.pipeline.pool.query(`update deliveries set status = 'dead', finished_at = now() where integration_id = $1 and response_id = any($2)`, [integrationId, responseIds]));

describe('a replay of everything', () => {
  test('sends the same bytes under the same id again, and says which replay it is', async () => {
    const id = await hook();
    const ids = await submitted(id, 20);
    const first = new Map(receiver.requests.map((request) => [request.id, request.body]));
    const shown = await preview();
    expect(shown).toMatchObject({ count: 20, estimatedSeconds: 1, endpoints: [{ integration: { id }, count: 20, reachesPeople: false }] });
    expect(new Date(shown.first) <= new Date(shown.last)).toBe(true);
    expect(receiver.requests.every(({ headers }) => headers['webhook-replay'] === undefined)).toBe(true);

    const replay = await start();
    expect(await ended(replay.id)).toMatchObject({ total: 20, made: 20, delivered: 20, pending: 0, dead: 0, mode: 'EVERYTHING' });
    const again = receiver.requests.slice(20);
    expect(again.map((request) => request.id).toSorted()).toEqual(ids.map(eventIdOf).toSorted());
    expect(again.every((request) => request.headers['webhook-replay'] === replay.id && request.body.equals(first.get(request.id) ?? Buffer.of()))).toBe(true);
    expect(await statuses(id)).toEqual({ delivered: 20 });
  });

  test('covers what the stream no longer has, and a stream that was lost wholly', async () => {
    const id = await hook();
    await submitted(id, 10);
    const nats = await connectNats({ servers: product.nats.url });
    await (await jetstreamManager(nats)).streams.delete(streamName);
    await nats.close();
    await product.pipeline.pool.query(`update responses set submitted_at = submitted_at - interval '40 days' where form_id = $1`, [formId]);
    const { id: replayId } = await start({ since: new Date(Date.now() - 41 * 86_400_000).toISOString() });
    expect(await ended(replayId)).toMatchObject({ delivered: 10 });
    expect([...receiver.countsById().values()]).toEqual(Array(10).fill(2));
  });

  test('begins and ends at a cursor, and keeps to the types it was given', async () => {
    const id = await hook();
    const ids = await submitted(id, 6);
    const form = await product.api.call<{ responses: { edges: { cursor: string; node: { id: string } }[] } }>(`{ form(id: "${formId}") { responses(first: 10) { edges { cursor node { id } } } } }`);
    const cursorOf = (response: string | undefined) => form.responses.edges.find(({ node }) => node.id === response)?.cursor;
    const range = { since: null, after: cursorOf(ids[1]), through: cursorOf(ids[3]) };
    expect((await preview(range)).count).toBe(2);
    expect((await preview({ ...range, eventTypes: ['RESPONSE_DELETED'] })).count).toBe(0);
    await ended((await start(range)).id);
    expect(receiver.requests.slice(6).map((request) => request.id).toSorted()).toEqual(ids.slice(2, 4).map(eventIdOf).toSorted());
  });

  test('leaves erased responses out, also those that are erased after the preview', async () => {
    const id = await hook();
    const ids = await submitted(id, 4);
    await product.run('eraseResponse', { responseId: ids[0] }, 'response { id }');
    const { token, count } = await preview();
    expect(count).toBe(3);
    await product.run('eraseResponse', { responseId: ids[1] }, 'response { id }');
    const { replay } = await product.run('startReplay', { token }, `replay { ${fields} }`);
    expect(await ended(replay.id)).toMatchObject({ total: 3, made: 2, delivered: 2 });
  });
});

describe('a replay of what was missed', () => {
  test('sends what is dead or nowhere, and to nobody what they have', async () => {
    const [id, other] = [await hook(), await product.connect(formId)];
    const ids = await submitted(id, 8);
    await deadOf(id, ids.slice(0, 3));
    await product.pipeline.pool.query('delete from deliveries where integration_id = $1 and response_id = $2', [id, ids[5]]);
    const shown = await preview({ mode: 'MISSED' });
    expect(shown.endpoints.map((one: { integration: { id: string }; count: number }) => [one.integration.id, one.count])).toEqual([[id, 4], [other, 0]]);
    const replay = await start({ mode: 'MISSED' });
    expect(await ended(replay.id)).toMatchObject({ total: 4, delivered: 4 });
    expect([...receiver.countsById()].filter(([, count]) => count > 1).map(([event]) => event).toSorted()).toEqual([...ids.slice(0, 3), ids[5]!].map(eventIdOf).toSorted());
    expect(service.delivered).toHaveLength(8);
    expect(await statuses(id)).toEqual({ delivered: 8 });
  });

  test('gives a delivery that dies again to the list of the dead, with the reason', async () => {
    const id = await product.connect(formId);
    await deadOf(id, await submitted(id, 2));
    service.deliver = async () => ({ status: 'rejected', error: 'REFUSED', reason: 'Not this one.' });
    expect(await ended((await start({ mode: 'MISSED' })).id)).toMatchObject({ dead: 2, delivered: 0 });
  });
});

describe('a replay under way', () => {
  test('is paused, resumed and canceled, and tells who did it', async () => {
    const id = await hook();
    await submitted(id, 30);
    const { id: replayId } = await start({ rate: 5 });
    await expect.poll(async () => (await replayOf(replayId))['made'], { timeout: 10_000 }).toBeGreaterThan(0);
    const { replay: paused } = await product.run('pauseReplay', { id: replayId }, `replay { ${fields} }`);
    expect(paused.status).toBe('PAUSED');
    // another integration's turn at the jobs comes and goes, and this one's does not
    const other = await product.connect(formId);
    await product.finished(other, 'connect');
    expect((await replayOf(replayId))['made']).toBe(paused.made);
    await product.run('resumeReplay', { id: replayId }, 'replay { id }');
    await expect.poll(async () => (await replayOf(replayId))['made'], { timeout: 10_000 }).toBeGreaterThan(paused.made);
    await product.run('cancelReplay', { id: replayId }, 'replay { id }');
    const me = await product.api.call<{ id: string }>('{ me { id } }');
    const { actions, status } = await replayOf(replayId, 'status actions { action by user { id } }') as { status: string; actions: { action: string; by: string; user: { id: string } }[] };
    expect(status).toBe('CANCELED');
    expect(actions).toEqual(['STARTED', 'PAUSED', 'RESUMED', 'CANCELED'].map((action) => ({ action, by: 'MEMBER', user: { id: me.id } })));
    expect(receiver.requests.length).toBeLessThan(60);
    await expect(product.run('resumeReplay', { id: replayId }, 'replay { id }')).rejects.toThrow('it is canceled');
  });

  test('that is canceled leaves what it had pending as it was before', async () => {
    const id = await hook();
    const ids = await submitted(id, 6);
    await deadOf(id, ids.slice(0, 2));
    await product.pipeline.pool.query('delete from deliveries where integration_id = $1 and response_id = $2', [id, ids[5]]);
    await product.run('updateIntegration', { id, paused: true }, 'integration { id }');
    const { id: replayId } = await start();
    await expect.poll(async () => (await replayOf(replayId))['pending'], { timeout: 10_000 }).toBe(6);
    await product.run('cancelReplay', { id: replayId }, 'replay { id }');
    expect(await statuses(id)).toEqual({ delivered: 3, dead: 3 });
    expect(receiver.requests).toHaveLength(6);
  });

  test('ends with an integration that is deleted, and goes on to the others', async () => {
    const [id, other] = [await hook(), await product.connect(formId)];
    await submitted(id, 5);
    await product.run('updateIntegration', { id, paused: true }, 'integration { id }');
    const { id: replayId } = await start();
    await expect.poll(async () => (await replayOf(replayId))['pending'], { timeout: 10_000 }).toBe(5);
    await product.run('deleteIntegration', { id }, 'integration { id }');
    await ended(replayId, 'FAILED');
    expect(await statuses(other)).toEqual({ delivered: 5 });
    expect(service.delivered.filter(({ replayId: sentBy }) => sentBy === replayId)).toHaveLength(5);
  });
});

test('a replay whose process dies in the middle goes on in another, and misses and repeats nothing', { timeout: 60_000 }, async () => {
  await using own = await startFakeProduct();
  const form = await own.newForm();
  const id = await own.connect(form);
  const ids = await own.submit(form, 400);
  await expect.poll(() => service.delivered.length, { timeout: 20_000 }).toBe(400);
  service.delivered.length = 0;
  const { preview: { token } } = await own.run('previewReplay', { formId: form, since, mode: 'EVERYTHING', rate: 500 }, 'preview { token }');
  const { replay } = await own.run('startReplay', { token }, 'replay { id }');
  await expect.poll(() => service.delivered.length, { timeout: 20_000 }).toBeGreaterThan(50);
  await own.pipeline.abandon();
  expect(service.delivered.length).toBeLessThan(400);
  await using other = startPipeline({ databaseUrl: own.databaseUrl, natsUrl: own.nats.url });
  const stateOf = async () => (await other.pool.query('select status from jobs where replay_id = $1 and integration_id = $2', [replay.id, id])).rows;
  await expect.poll(stateOf, { timeout: 30_000 }).toEqual([{ status: 'done' }]);
  expect(service.delivered.map(({ event }) => event.responseId).toSorted()).toEqual(ids.toSorted());
  expect(new Set(service.delivered.map(({ replayId }) => replayId))).toEqual(new Set([replay.id]));
});

test('a replay keeps its rate, however seldom due work is looked for', { timeout: 60_000 }, async () => {
  await using own = await startFakeProduct();
  const form = await own.newForm();
  await own.connect(form);
  await own.submit(form, 200);
  await expect.poll(() => service.delivered.length, { timeout: 20_000 }).toBe(200);
  const { preview: { token } } = await own.run('previewReplay', { formId: form, since, mode: 'EVERYTHING', rate: 500 }, 'preview { token }');
  const { replay } = await own.run('startReplay', { token }, 'replay { id }');
  await own.run('pauseReplay', { id: replay.id }, 'replay { id }');
  await own.pipeline.stop();
  const pool = openTestPool(own.databaseUrl, 1);
  await changeReplay(pool, { replayId: replay.id, change: 'resumed', acts: { by: 'operator', userId: null } });
  await pool.end();
  await using other = startPipeline({ databaseUrl: own.databaseUrl, natsUrl: own.nats.url, settings: { FORMWIRE_RETRY_POLL: '1h' } });
  const stateOf = async () => (await other.pool.query('select status from jobs where replay_id = $1', [replay.id])).rows;
  await expect.poll(stateOf, { timeout: 20_000 }).toEqual([{ status: 'done' }]);
  expect(service.delivered.length).toBe(400);
});

describe('a start', () => {
  test('of the same preview twice is one replay; of another to the same integration it waits for the end', async () => {
    const id = await hook();
    await submitted(id, 3);
    await product.run('updateIntegration', { id, paused: true }, 'integration { id }');
    const { token } = await preview();
    const twice = await Promise.all([1, 2].map(() => product.run('startReplay', { token }, 'replay { id }')));
    expect(twice[0].replay.id).toBe(twice[1].replay.id);
    await expect.poll(async () => (await replayOf(twice[0].replay.id))['pending'], { timeout: 10_000 }).toBe(3);
    await product.submit(formId, 1);
    // what the first one sends stays pending, so that it does not end
    const killOther = () => product.pipeline.pool.query(`update deliveries set status = 'dead' where integration_id = $1 and replay_id is null`, [id]);
    await expect.poll(async () => (await killOther()).rowCount, { timeout: 10_000 }).toBe(1);
    await expect(start({ mode: 'MISSED' })).rejects.toThrow('another replay to it is not finished');
    await product.run('cancelReplay', { id: twice[0].replay.id }, 'replay { id }');
    expect((await start({ mode: 'MISSED' })).status).toBe('RUNNING');
  });

  test('sends messages to people only where that is asked for', async () => {
    const sms = { simulated: true, template: 'Thanks', from: '+15005550006' };
    const { integration } = await product.run('createIntegration', { formId, settings: { sms } }, 'integration { id }');
    await product.pipeline.pool.query('update integrations set since_version = 0 where id = $1', [integration.id]);
    const ids = await product.submit(formId, 2);
    await expect.poll(async () => Object.values(await statuses(integration.id)).reduce((sum, count) => sum + count, 0), { timeout: 10_000 }).toBe(2);
    await deadOf(integration.id, ids);
    const shown = await preview({ mode: 'MISSED' });
    expect(shown.endpoints).toMatchObject([{ count: 2, reachesPeople: true }]);
    await expect(product.run('startReplay', { token: shown.token }, 'replay { id }')).rejects.toThrow('only with `sendSms`');
    const { replay } = await product.run('startReplay', { token: shown.token, sendSms: true }, `replay { ${fields} }`);
    expect(replay.total).toBe(2);
  });

  test('is refused with nothing to send, and of an integration that was deleted or is another form’s', async () => {
    const id = await hook();
    await expect(start()).rejects.toThrow('nothing to send again');
    const elsewhere = await hook(await product.newForm());
    await expect(preview({ integrationIds: [elsewhere] })).rejects.toThrow('no integration with the id');
    await submitted(id, 1);
    const { token } = await preview();
    await product.run('deleteIntegration', { id }, 'integration { id }');
    await expect(product.run('startReplay', { token }, 'replay { id }')).rejects.toThrow('it was deleted');
    await expect(preview({ integrationIds: [id] })).rejects.toThrow('no integration with the id');
    const form = await product.api.call<{ replays: { edges: unknown[] } }>(`{ form(id: "${formId}") { replays(first: 5) { edges { node { id } } } } }`);
    expect(form.replays.edges).toEqual([]);
  });
});

test('what is redelivered by hand belongs to no replay any more', async () => {
  const id = await hook();
  await submitted(id, 1);
  await ended((await start()).id);
  const { rows: [row] } = await product.pipeline.pool.query('select id from deliveries where integration_id = $1', [id]);
  await product.run('redeliver', { deliveryIds: [row.id] }, 'count');
  await receiver.waitFor(3);
  expect(receiver.requests.map(({ headers }) => headers['webhook-replay'] !== undefined)).toEqual([false, true, false]);
});
