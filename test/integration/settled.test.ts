import type { Pool, PoolClient } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Id } from '../../src/events/id.ts';
import { decodeCursor, positionOfKey } from '../../src/graphql/cursor.ts';
import { createSettled, eventOrder } from '../../src/outbox/settled.ts';
import { startDeliveryApi, type DeliveryApi, type Owner } from '../support/delivery-api.ts';
import { insertOutboxRow, insertResponse } from '../support/rows.ts';

let api: DeliveryApi;
let owner: Owner;

beforeAll(async () => {
  api = await startDeliveryApi();
  owner = await api.newOwner();
});
afterAll(() => api[Symbol.asyncDispose]());

const newForm = async (): Promise<Id<'form'>> => (await api.newForm(owner, [{ key: 'q', text: 'Q', kind: 'TEXT' }])).id;
const positionOf = async (id: string): Promise<number> => Number((await api.pool.query<{ position: string }>('select position from responses where id = $1', [id])).rows[0]?.position);

/** A response that is written and not committed. */
async function beginResponse(formId: Id<'form'>): Promise<{ id: Id<'resp'>; client: PoolClient; position: number }> {
  const client = await api.pool.connect();
  await client.query('begin');
  const id = await insertResponse(client as unknown as Pool, { formId });
  const { rows } = await client.query<{ position: string }>('select position from responses where id = $1', [id]);
  return { id, client, position: Number(rows[0]?.position) };
}

async function end({ client }: { client: PoolClient }, how: 'commit' | 'rollback'): Promise<void> {
  await client.query(how);
  client.release();
}

describe('the settled position', () => {
  test('is that of the last response, where nothing is being written', async () => {
    const settled = createSettled({ pool: api.pool, order: eventOrder });
    expect(settled.known()).toBe(0);
    const id = await insertResponse(api.pool, { formId: await newForm() });
    expect(await settled.find()).toBe(await positionOf(id));
    expect(settled.known()).toBe(await positionOf(id));
  });

  test('does not pass a response that is drawn and not committed, until it is', async () => {
    const settled = createSettled({ pool: api.pool, order: eventOrder });
    const formId = await newForm();
    const before = await settled.find();
    const slow = await beginResponse(formId);
    const quick = await positionOf(await insertResponse(api.pool, { formId }));
    expect(quick).toBeGreaterThan(slow.position);
    expect(await settled.find()).toBe(before);
    await end(slow, 'commit');
    expect(await settled.find()).toBe(quick);
  });

  test('is not known where it was never found, which nobody takes for the beginning', async () => {
    const slow = await beginResponse(await newForm());
    const settled = createSettled({ pool: api.pool, order: eventOrder });
    await expect(settled.find()).rejects.toMatchObject({ code: 'OVERLOADED' });
    expect([settled.isBehind(), settled.drawn()]).toEqual([true, slow.position]);
    await end(slow, 'commit');
    expect(await settled.find()).toBe(slow.position);
    expect(settled.isBehind()).toBe(false);
  });

  test('passes one that is rolled back', async () => {
    const settled = createSettled({ pool: api.pool, order: eventOrder });
    const formId = await newForm();
    const slow = await beginResponse(formId);
    const finding = settled.find();
    await end(slow, 'rollback');
    expect(await finding).toBeGreaterThanOrEqual(slow.position);
  });

  test('is not held up by who only reads, nor by events of no response', async () => {
    const settled = createSettled({ pool: api.pool, order: eventOrder });
    const formId = await newForm();
    const client = await api.pool.connect();
    await client.query('begin');
    await client.query('select count(*) from responses, outbox');
    const responseId = await insertResponse(api.pool, { formId });
    await insertOutboxRow(api.pool, { organizationId: owner.organizationId, formId, responseId });
    expect(await settled.find()).toBeGreaterThan(await positionOf(responseId));
    await end({ client }, 'rollback');
  });

  test('found by many at once costs each of them what came before it', async () => {
    const settled = createSettled({ pool: api.pool, order: eventOrder });
    const formId = await newForm();
    const found = await Promise.all(
      Array.from({ length: 20 }, async () => {
        const position = await positionOf(await insertResponse(api.pool, { formId }));
        return (await settled.find()) >= position;
      }),
    );
    expect(found).toEqual(found.map(() => true));
  });
});

test('a page ends before what could still get something in front of it, and goes on there', async () => {
  const formId = await newForm();
  const list = async (after: string | null) => {
    const query = 'query ($id: ID!, $after: String) { form(id: $id) { responses(after: $after) { edges { node { id } } pageInfo { endCursor } } } }';
    const { edges, pageInfo } = (await api.gql(query, { id: formId, after }, owner.token)).form.responses;
    return { ids: edges.map((edge: { node: { id: string } }) => edge.node.id), endCursor: pageInfo.endCursor };
  };
  const first = await insertResponse(api.pool, { formId });
  expect((await list(null)).ids).toEqual([first]);
  const slow = await beginResponse(formId);
  const quick = await insertResponse(api.pool, { formId });
  const page = await list(null);
  expect(page.ids).toEqual([first]);
  expect(positionOfKey(decodeCursor(page.endCursor) ?? '')).toBe(await positionOf(first));
  await end(slow, 'commit');
  expect((await list(page.endCursor)).ids).toEqual([slow.id, quick]);
});
