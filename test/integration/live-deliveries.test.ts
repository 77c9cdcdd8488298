import type { Pool } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { deliveryOrder } from '../../src/deliveries/delivery-changes.ts';
import { newId, type Id } from '../../src/events/id.ts';
import { encodeCursor, positionKey } from '../../src/graphql/cursor.ts';
import { createSettled } from '../../src/outbox/settled.ts';
import { startDeliveryApi, type DeliveryApi } from '../support/delivery-api.ts';
import { createPeople, type People, type Person } from '../support/people.ts';
import { insertAttempt, insertDelivery, insertResponse } from '../support/rows.ts';
import { subscribeOverSse, type SseSubscriber } from '../support/subscriber.ts';

let api: DeliveryApi;
let people: People;
let owner: Person;
beforeAll(async () => {
  api = await startDeliveryApi();
  people = createPeople(api);
  owner = await people.owner();
});
afterAll(() => api[Symbol.asyncDispose]());

const fromStart = encodeCursor(positionKey(0, 'deliveryChanges'));
const query = `subscription ($formId: ID!, $integrationId: ID, $after: String) {
  deliveryChanged(formId: $formId, integrationId: $integrationId, after: $after) { cursor delivery { id status reason integration { id } attempts { number } response { id } } }
}`;
const subscribe = (who: { token: string }, variables: Record<string, unknown>, lastEventId?: string): Promise<SseSubscriber> => subscribeOverSse(api.url, { query, variables, token: who.token, lastEventId });
const deliveriesOf = ({ told }: SseSubscriber) => told.flatMap(({ result }) => result.data?.deliveryChanged.delivery ?? []);
const statesOf = (subscriber: SseSubscriber): string[] => deliveriesOf(subscriber).map(({ id, status }) => `${id} ${status}`);

interface World {
  formId: Id<'form'>;
  one: Id<'intg'>;
  other: Id<'intg'>;
  deliver(integrationId?: Id<'intg'>, pool?: Pool): Promise<Id<'dlv'>>;
}

/** A form with two webhooks. */
async function newWorld(): Promise<World> {
  const { id: formId } = await api.newForm(owner, [{ key: 'q', text: 'Q', kind: 'TEXT' }]);
  const connect = async (): Promise<Id<'intg'>> =>
    (await people.run(owner, 'createIntegration', { formId, settings: { webhook: { url: 'https://example.com/hooks' } } }, 'integration { id }')).integration.id;
  const [one, other] = [await connect(), await connect()];
  const responseId = await insertResponse(api.pool, { formId });
  const deliver: World['deliver'] = (integrationId = one, pool = api.pool) =>
    insertDelivery(pool, { organizationId: owner.organizationId, formId, responseId, integrationId, status: 'pending', attempts: 0 });
  return { formId, one, other, deliver };
}

const change = (id: string, set: string): Promise<unknown> => api.pool.query(`update deliveries set ${set} where id = $1`, [id]);

describe('a subscriber to deliveries', () => {
  test('is told each when it is recorded, and when it changes, as it is then', async () => {
    const { formId, deliver, one } = await newWorld();
    const subscriber = await subscribe(owner, { formId });
    const id = await deliver();
    await insertAttempt(api.pool, { deliveryId: id, number: 1 });
    const [first] = await subscriber.until(1);
    expect(first?.result.data.deliveryChanged).toEqual({
      cursor: first?.id, delivery: { id, status: 'PENDING', reason: null, integration: { id: one }, attempts: [{ number: 1 }], response: { id: expect.stringMatching(/^resp_/) } },
    });
    await change(id, `status = 'delivered'`);
    await subscriber.until(2);
    expect(statesOf(subscriber)).toEqual([`${id} PENDING`, `${id} DELIVERED`]);
    subscriber.disconnect();
  });

  test('comes back to what changed in the meantime, once for each: as it is now', async () => {
    const { formId, deliver } = await newWorld();
    const before = await subscribe(owner, { formId });
    const [still, often] = [await deliver(), await deliver()];
    await before.until(2);
    before.disconnect();
    await change(often, `status = 'dead'`);
    const late = await deliver();
    await change(often, `status = 'delivered'`);
    const back = await subscribe(owner, { formId }, before.lastId());
    await back.until(2);
    expect(statesOf(back)).toEqual([`${late} PENDING`, `${often} DELIVERED`]);
    const whole = await subscribe(owner, { formId, after: fromStart });
    await whole.until(3);
    expect(statesOf(whole)).toEqual([`${still} PENDING`, ...statesOf(back)]);
    expect(whole.lastId()).toBe(back.lastId());
    for (const one of [back, whole]) one.disconnect();
  });

  test('of one integration is told of no other, however much lies between', async () => {
    const { formId, one, other, deliver } = await newWorld();
    const first = await deliver(one);
    await api.pool.query(
      `insert into deliveries (id, event_id, event_type, position, organization_id, form_id, response_id, integration_id, partition, status, attempts, created_at)
       select 'dlv_' || n, 'evt_' || n, event_type, 1, organization_id, form_id, response_id, $2, 0, 'delivered', 1, now() from deliveries, generate_series(1, 2500) n where id = $1`,
      [first, other],
    );
    await change(first, `status = 'dead'`);
    const last = await deliver(one);
    const subscriber = await subscribe(owner, { formId, integrationId: one, after: fromStart });
    await subscriber.until(2);
    expect(statesOf(subscriber)).toEqual([`${first} DEAD`, `${last} PENDING`]);
    subscriber.disconnect();
  });

  test('that is a partner is told of its own webhooks only, and not of responses', async () => {
    const { formId, deliver } = await newWorld();
    const partner = await people.member(owner, 'PARTNER', [formId]);
    const { integration } = await people.run(partner, 'createIntegration', { formId, settings: { webhook: { url: 'https://example.com/own' } } }, 'integration { id }');
    const [, own] = [await deliver(), await deliver(integration.id)];
    const subscriber = await subscribe(partner, { formId, after: fromStart });
    await subscriber.until(1);
    expect(deliveriesOf(subscriber)).toMatchObject([{ id: own, response: null }]);
    await deliver();
    await deliver(integration.id);
    await subscriber.until(2);
    expect(deliveriesOf(subscriber).map((one) => one.integration.id)).toEqual([integration.id, integration.id]);
    subscriber.disconnect();
  });
});

const errorOf = async (who: { token: string }, variables: Record<string, unknown>) => {
  const subscriber = await subscribe(who, variables);
  return (await subscriber.completed()).at(-1)?.result.errors?.[0]?.extensions;
};

describe('a subscription to deliveries does not begin', () => {
  test('for others, and with keys that were made for other things', async () => {
    const { formId } = await newWorld();
    const { key } = await people.run(owner, 'createApiKey', { name: 'read', scopes: ['RESPONSES_READ'] }, 'key');
    expect(await errorOf(await people.owner(), { formId })).toMatchObject({ code: 'FORBIDDEN' });
    expect(await errorOf({ token: key }, { formId })).toMatchObject({ code: 'FORBIDDEN' });
  });

  test('of an integration that the form does not have', async () => {
    const [{ formId }, { one }] = [await newWorld(), await newWorld()];
    for (const integrationId of [one, newId('intg'), 'nope']) {
      expect(await errorOf(owner, { formId, integrationId })).toMatchObject({ faults: [{ code: 'NOT_FOUND', path: ['integrationId'] }] });
    }
  });

  test('at a cursor of something else, and a cursor of deliveries begins nothing else', async () => {
    const { formId, deliver } = await newWorld();
    await deliver();
    const list = (await api.gql('query ($id: ID!) { form(id: $id) { deliveries { pageInfo { endCursor } } } }', { id: formId }, owner.token)).form.deliveries;
    for (const after of [encodeCursor(positionKey(0)), list.pageInfo.endCursor, 'nope']) {
      expect(await errorOf(owner, { formId, after })).toMatchObject({ code: 'INVALID_INPUT', faults: [{ path: ['after'], message: expect.stringContaining('changes of deliveries') }] });
    }
    const responses = await subscribeOverSse(api.url, { query: 'subscription ($formId: ID!, $after: String) { responseCreated(formId: $formId, after: $after) { cursor } }', variables: { formId, after: fromStart }, token: owner.token });
    expect(await responses.completed()).toMatchObject([{ result: { errors: [{ extensions: { code: 'INVALID_INPUT', faults: [{ path: ['after'] }] } }] } }]);
  });
});

test('a subscription to deliveries ends with a cursor of its own kind', async () => {
  const { formId, deliver } = await newWorld();
  const editor = await people.member(owner, 'EDITOR');
  const subscriber = await subscribe(editor, { formId });
  await deliver();
  await subscriber.until(1);
  await people.run(owner, 'removeMember', { id: await people.memberId(owner, editor) });
  const { code, cursor } = (await subscriber.completed()).at(-1)!.result.errors[0].extensions;
  expect([code, cursor]).toEqual(['PERMISSIONS_CHANGED', subscriber.lastId()]);
});

describe('the place of a delivery', () => {
  const placeOf = async (id: string): Promise<number | null> => (await api.pool.query<{ place: number | null }>('select changed_position::float8 as place from deliveries where id = $1', [id])).rows[0]?.place ?? null;

  test.each([
    `status = 'dead'`, `reason = 'so'`, `error_class = 'TIMEOUT'`, `attempts = 7`, `next_attempt_at = now()`, `finished_at = now()`,
    `redelivered_at = now()`, `redelivered_by = 'key'`, `redelivered_by_id = 'usr_1'`, `redrives = 3`,
  ])('is a new one where a statement sets %s, and stays where it sets it again', async (set) => {
    const { deliver } = await newWorld();
    const id = await deliver();
    await change(id, set);
    const place = await placeOf(id);
    expect(place).toBeGreaterThan(0);
    if (set.includes('now()')) return;
    await change(id, set);
    expect(await placeOf(id)).toBe(place);
  });

  test('stays where a dispatcher claims it, and gives the claim up', async () => {
    const { deliver } = await newWorld();
    const id = await deliver();
    await change(id, `claimed_by = '${newId('dsp')}', claim_expires_at = now() + interval '1 minute'`);
    await change(id, 'claimed_by = null, claim_expires_at = null');
    expect(await placeOf(id)).toBeNull();
  });

  test('is not passed before it is committed, whether it is drawn by a record or a change', async () => {
    const { deliver, formId, one } = await newWorld();
    const settled = createSettled({ pool: api.pool, order: deliveryOrder });
    const [old] = [await deliver()];
    for (const write of [(client: Pool) => deliver(one, client), (client: Pool) => client.query(`update deliveries set status = 'dead' where id = $1`, [old])]) {
      const before = await settled.find();
      const subscriber = await subscribe(owner, { formId, after: encodeCursor(positionKey(before, 'deliveryChanges')) });
      const client = await api.pool.connect();
      await client.query('begin');
      await write(client as unknown as Pool);
      const quick = await deliver();
      expect(await settled.find()).toBe(before);
      await client.query('commit');
      client.release();
      await subscriber.until(2);
      const ids = deliveriesOf(subscriber).map(({ id }) => id);
      expect([ids.length, ids.at(-1)]).toEqual([2, quick]);
      subscriber.disconnect();
    }
  });
});
