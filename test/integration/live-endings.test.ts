import type { Pool } from 'pg';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { encodeCursor, positionKey } from '../../src/graphql/cursor.ts';
import type { Id } from '../../src/events/id.ts';
import { startDeliveryApi, type DeliveryApi } from '../support/delivery-api.ts';
import { createPeople, type People, type Person } from '../support/people.ts';
import { insertResponse } from '../support/rows.ts';
import { subscribeOverSse, type SseSubscriber } from '../support/subscriber.ts';

let api: DeliveryApi;
let people: People;
let owner: Person;
beforeAll(async () => {
  api = await startDeliveryApi({ limits: { callerSubscriptions: 60, subscriptionCost: 100, unreadItems: 100 } });
  people = createPeople(api);
  owner = await people.owner();
});
afterAll(() => api[Symbol.asyncDispose]());

const query = 'subscription ($formId: ID!, $after: String) { responseCreated(formId: $formId, after: $after) { cursor response { id answers { text } } } }';
const fromStart = encodeCursor(positionKey(0));
const newForm = async (by = owner): Promise<{ id: Id<'form'>; questionId: Id<'q'> }> => {
  const { id, questions } = await api.newForm(by, [{ key: 'q', text: 'Q', kind: 'LONG_TEXT' }]);
  return { id, questionId: questions[0]!.id };
};
const subscribe = (formId: string, token: string | undefined, variables: object = {}, lastEventId?: string): Promise<SseSubscriber> =>
  subscribeOverSse(api.url, { query, variables: { formId, ...variables }, token, lastEventId });
const idsOf = ({ told }: SseSubscriber): string[] => told.flatMap(({ result }) => result.data?.responseCreated.response.id ?? []);
const lastError = ({ told }: SseSubscriber) => told.at(-1)?.result.errors?.[0]?.extensions;

/** Tells somebody one response, and what comes to the subscription after `happening`. */
async function endedBy(who: { token: string }, formId: Id<'form'>, happening: () => Promise<unknown>): Promise<{ subscriber: SseSubscriber; code: string }> {
  const subscriber = await subscribe(formId, who.token, { after: fromStart });
  await insertResponse(api.pool, { formId });
  await subscriber.until(1);
  await happening();
  await subscriber.completed();
  expect(subscriber.isComplete()).toBe(true);
  expect(lastError(subscriber).cursor).toBe(subscriber.lastId());
  return { subscriber, code: lastError(subscriber).code };
}

describe('a subscription ends with its cursor', () => {
  test('when the member is removed, and nothing is told after that', async () => {
    const { id } = await newForm();
    const editor = await people.member(owner, 'EDITOR');
    const { code, subscriber } = await endedBy(editor, id, async () => people.run(owner, 'removeMember', { id: await people.memberId(owner, editor) }));
    expect(code).toBe('PERMISSIONS_CHANGED');
    await insertResponse(api.pool, { formId: id });
    expect(idsOf(subscriber)).toHaveLength(1);
    expect(lastError(await refused(id, editor.token))).toMatchObject({ code: 'FORBIDDEN' });
  });

  test('when the member gets another role', async () => {
    const { id } = await newForm();
    const editor = await people.member(owner, 'EDITOR');
    const { code, subscriber } = await endedBy(editor, id, async () => people.run(owner, 'changeMember', { id: await people.memberId(owner, editor), role: 'VIEWER' }));
    expect(code).toBe('PERMISSIONS_CHANGED');
    const next = await subscribe(id, editor.token, {}, subscriber.lastId());
    const response = await insertResponse(api.pool, { formId: id });
    await next.until(1);
    expect(idsOf(next)).toEqual([response]);
    next.disconnect();
  });

  test('when the session ends', async () => {
    const { id } = await newForm();
    const editor = await people.member(owner, 'EDITOR');
    expect((await endedBy(editor, id, () => people.run(editor, 'logout', {}))).code).toBe('UNAUTHENTICATED');
  });

  test('when the API key is revoked', async () => {
    const { id } = await newForm();
    const { key, apiKey } = await people.run(owner, 'createApiKey', { name: 'watch', scopes: ['RESPONSES_READ'] }, 'key apiKey { id }');
    expect((await endedBy({ token: key }, id, () => people.run(owner, 'revokeApiKey', { id: apiKey.id }))).code).toBe('UNAUTHENTICATED');
  });

  test('when the form is deleted', async () => {
    const { id } = await newForm();
    expect((await endedBy(owner, id, () => people.run(owner, 'deleteForm', { id }))).code).toBe('FORBIDDEN');
  });

  test('when the token expires', async () => {
    const somebody = await people.owner();
    const { id } = await newForm(somebody);
    const before = api.clock.now;
    const { code } = await endedBy(somebody, id, async () => {
      api.clock.now = new Date(before.getTime() + 3_600_000);
    });
    expect(code).toBe('UNAUTHENTICATED');
    api.clock.now = before;
  });
});

/** A subscription that does not begin. */
async function refused(formId: string, token: string | undefined, variables: object = {}): Promise<SseSubscriber> {
  const subscriber = await subscribe(formId, token, variables);
  await subscriber.completed();
  return subscriber;
}

describe('a subscription does not begin', () => {
  test('for strangers, for other organisations, and with keys that were made for other things', async () => {
    const { id } = await newForm();
    const other = await people.owner();
    const { key } = await people.run(owner, 'createApiKey', { name: 'submit', scopes: ['RESPONSES_WRITE'] }, 'key');
    expect(lastError(await refused(id, undefined))).toMatchObject({ code: 'UNAUTHENTICATED' });
    expect(lastError(await refused(id, other.token))).toMatchObject({ code: 'FORBIDDEN' });
    expect(lastError(await refused(id, key))).toMatchObject({ code: 'FORBIDDEN' });
  });

  test('with variables that do not fit', async () => {
    const reply = await subscribeOverSse(api.url, { query, variables: {}, token: owner.token });
    expect(await reply.completed()).toMatchObject([{ result: { errors: [{ extensions: { code: 'BAD_USER_INPUT' } }] } }]);
  });

  test('at what is no cursor, or lies beyond all there is', async () => {
    const { id } = await newForm();
    for (const after of ['', 'nope', encodeCursor('42'), encodeCursor(positionKey(9_000_000_000))]) {
      expect(lastError(await refused(id, owner.token, { after }))).toMatchObject({ code: 'INVALID_INPUT', faults: [{ path: ['after'] }] });
    }
  });

  test('where what follows its cursor is too old, and says where to read on', async () => {
    const { id } = await newForm();
    const old = new Date(api.clock.now.getTime() - 15 * 86_400_000);
    await insertResponse(api.pool, { formId: id, submittedAt: old });
    expect(lastError(await refused(id, owner.token, { after: fromStart }))).toEqual({ code: 'CURSOR_EXPIRED', readOn: { field: 'Form.responses', after: fromStart } });
    const pages = `{ form(id: "${id}") { responses(after: "${fromStart}") { edges { node { id } } pageInfo { endCursor } } } }`;
    const { edges, pageInfo } = (await api.gql(pages, {}, owner.token)).form.responses;
    expect(edges).toHaveLength(1);
    const subscriber = await subscribe(id, owner.token, { after: pageInfo.endCursor });
    const response = await insertResponse(api.pool, { formId: id, submittedAt: api.clock.now });
    await subscriber.until(1);
    expect(idsOf(subscriber)).toEqual([response]);
    subscriber.disconnect();
  });

  test('past what one event may cost', async () => {
    const { id } = await newForm();
    const wide = 'subscription ($formId: ID!) { responseCreated(formId: $formId) { response { form { questions { id } } } } }';
    const reply = await subscribeOverSse(api.url, { query: wide, variables: { formId: id }, token: owner.token });
    expect(await reply.completed()).toMatchObject([{ result: { errors: [{ extensions: { code: 'TOO_COSTLY' } }] } }]);
  });

  test('where the caller has as many as there may be; one that ends makes room', async () => {
    const { id } = await newForm();
    const somebody = await people.owner();
    const { id: theirs } = await newForm(somebody);
    const open = await Promise.all(Array.from({ length: 60 }, () => subscribe(id, owner.token)));
    const response = await api.post({ query, variables: { formId: id } }, { token: owner.token, headers: { accept: 'text/event-stream' } });
    expect([response.status, response.headers['retry-after'], response.body.errors[0].extensions.code]).toEqual([429, '5', 'TOO_MANY_SUBSCRIPTIONS']);
    const others = await subscribe(theirs, somebody.token);
    expect(others.status()).toBe(200);
    open[0]?.disconnect();
    await expect.poll(async () => {
      const again = await subscribe(id, owner.token).catch(() => undefined);
      again?.disconnect();
      return again?.status();
    }).toBe(200);
    for (const one of [...open, others]) one.disconnect();
  });

  test('without "accept: text/event-stream"', async () => {
    const { id } = await newForm();
    expect(await api.post({ query, variables: { formId: id } }, { token: owner.token })).toMatchObject({ status: 406 });
    expect(await api.post({ query, variables: { formId: id } }, { token: owner.token, headers: { accept: 'multipart/mixed' } })).toMatchObject({ status: 406 });
  });
});

test('a subscription begins at what another process has found settled before this one', async () => {
  const { id } = await newForm();
  const first = await insertResponse(api.pool, { formId: id });
  const before = await subscribe(id, owner.token, { after: fromStart });
  await before.until(1);
  const client = await api.pool.connect();
  await client.query('begin');
  await insertResponse(client as unknown as Pool, { formId: id }); // so that this process does not get beyond
  const { rows } = await client.query<{ position: number }>('select max(position)::float8 as position from responses');
  const subscriber = await subscribe(id, owner.token, { after: encodeCursor(positionKey(rows[0]?.position ?? 0)) });
  await client.query('commit');
  client.release();
  const next = await insertResponse(api.pool, { formId: id });
  await subscriber.until(1);
  expect([idsOf(before)[0], ...idsOf(subscriber)]).toEqual([first, next]);
  for (const one of [before, subscriber]) one.disconnect();
});

test('all who ask the same share one execution of an event, wherever they began, and whoever of the organisation they are', async () => {
  const { id } = await newForm();
  const editor = await people.member(owner, 'OWNER');
  const first = await insertResponse(api.pool, { formId: id });
  const early = await subscribe(id, owner.token, { after: fromStart });
  await early.until(1);
  const open = await Promise.all([
    ...Array.from({ length: 20 }, () => subscribe(id, owner.token)),
    ...Array.from({ length: 20 }, () => subscribe(id, editor.token, { after: early.lastId() })),
  ]);
  const reads = vi.spyOn(api.reads, 'query');
  const second = await insertResponse(api.pool, { formId: id });
  await Promise.all([early, ...open].map((one) => one.until(one === early ? 2 : 1)));
  const executions = reads.mock.calls.filter(([statement]) => (statement as { name?: string }).name === 'responses-by-id-all');
  reads.mockRestore();
  expect(executions).toHaveLength(1);
  expect([idsOf(early), ...open.map(idsOf)]).toEqual([[first, second], ...open.map(() => [second])]);
  for (const one of [early, ...open]) one.disconnect();
});

test('what was erased is told to nobody who comes later, though others were told it from the same place', async () => {
  const { id, questionId } = await newForm();
  const response = await insertResponse(api.pool, { formId: id, answers: { [questionId]: { value: 'mine' } } });
  const early = await subscribe(id, owner.token, { after: fromStart });
  await early.until(1);
  await people.run(owner, 'eraseResponse', { responseId: response });
  const before = api.clock.now;
  api.clock.now = new Date(before.getTime() + 10_000);
  const other = await insertResponse(api.pool, { formId: id });
  const late = await subscribe(id, owner.token, { after: fromStart });
  await late.until(1);
  expect(idsOf(late)).toEqual([other]);
  api.clock.now = before;
  for (const one of [early, late]) one.disconnect();
});

test('a subscriber that does not read is ended, nobody else notices, and it goes on from where it was', async () => {
  const { id, questionId } = await newForm();
  const [slow, quick] = await Promise.all([subscribe(id, owner.token), subscribe(id, owner.token)]);
  slow.pause();
  const large = { [questionId]: { value: 'x'.repeat(45_000) } };
  const ids: string[] = [];
  for (let round = 0; round < 5; round += 1) {
    ids.push(...(await Promise.all(Array.from({ length: 100 }, () => insertResponse(api.pool, { formId: id, answers: large })))));
    await quick.until(ids.length);
  }
  expect(idsOf(quick)).toHaveLength(ids.length);
  slow.resume();
  await slow.completed();
  expect(slow.told.length).toBeLessThan(ids.length);
  const rest = await subscribe(id, owner.token, {}, slow.lastId() ?? fromStart);
  await rest.until(ids.length - idsOf(slow).length);
  expect([...idsOf(slow), ...idsOf(rest)]).toEqual(idsOf(quick));
  for (const one of [quick, rest]) one.disconnect();
});

test('who watches a process that stops is told where to go on, and when to come back', async () => {
  await using stops = await startDeliveryApi();
  const somebody = await createPeople(stops).owner();
  const { id: formId } = await stops.newForm(somebody, [{ key: 'q', text: 'Q', kind: 'LONG_TEXT' }]);
  const subscribed = await Promise.all(Array.from({ length: 20 }, () => subscribeOverSse(stops.url, { query, variables: { formId, after: fromStart }, token: somebody.token })));
  await insertResponse(stops.pool, { formId });
  for (const subscriber of subscribed) await subscriber.until(1);
  await stops.server.close();
  for (const subscriber of subscribed) {
    await subscriber.completed();
    expect(lastError(subscriber)).toMatchObject({ code: 'SHUTTING_DOWN', cursor: subscriber.lastId() });
    expect(subscriber.told.at(-1)?.retryMs).toBe(lastError(subscriber).retryAfterMs);
  }
  const waits = new Set(subscribed.map((subscriber) => lastError(subscriber).retryAfterMs));
  expect(waits.size).toBeGreaterThan(5);
  for (const wait of waits) expect(wait).toSatisfy((ms: number) => ms >= 100 && ms <= 1_000);
});

test('who comes while a process begins to stop is told so too', async () => {
  await using stops = await startDeliveryApi();
  const somebody = await createPeople(stops).owner();
  const { id: formId } = await stops.newForm(somebody, [{ key: 'q', text: 'Q', kind: 'LONG_TEXT' }]);
  const [asked, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const ask = stops.pool.query.bind(stops.pool) as (...given: unknown[]) => Promise<unknown>;
  vi.spyOn(stops.pool, 'query').mockImplementation((...given: unknown[]): unknown => {
    if ((given[0] as { name?: string }).name !== 'last of outbox_position_seq') return ask(...given);
    asked.resolve();
    return gate.promise.then(() => ask(...given));
  });
  const subscribing = subscribeOverSse(stops.url, { query, variables: { formId }, token: somebody.token });
  await asked.promise;
  const closed = stops.server.close();
  gate.resolve();
  const subscriber = await subscribing;
  await subscriber.completed();
  expect(lastError(subscriber)).toMatchObject({ code: 'SHUTTING_DOWN', retryAfterMs: expect.any(Number) });
  await closed;
});
