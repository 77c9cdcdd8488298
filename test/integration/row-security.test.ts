import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newId } from '../../src/events/id.ts';
import { onBehalfOf } from '../../src/graphql/on-behalf-of.ts';
import type { Viewer } from '../../src/graphql/viewer.ts';
import { startDeliveryApi, type DeliveryApi } from '../support/delivery-api.ts';
import { newTenant, readTableSecurity } from '../support/tenants.ts';

/** What the API never reads for a viewer, and why: the reader may do nothing with it. */
const closedTables: Record<string, string> = {
  mikro_orm_migrations: 'belongs to no tenant',
  dispatchers: 'belongs to no tenant',
  processes: 'belongs to no tenant',
  partition_leases: 'belongs to no tenant',
  login_attempts: 'counts before anybody is known',
  sessions: 'says who a caller is: read before there is a viewer',
  refresh_tokens: 'says who a caller is: read before there is a viewer',
  erased_client_ids: 'tells repeats of what was erased: read by the statements that write responses',
  erased_events: 'tells dispatchers what not to deliver',
  ledger: 'is the notes of providers',
  ledger_counters: 'is the notes of providers',
  quotas: 'belongs to no tenant',
  missing_deliveries: 'is what the check of the installation found, for its operators',
  completeness_walks: 'belongs to no tenant',
  rate_buckets: 'counts before anybody is known',
  form_places: 'is counted and locked by the statements that write responses',
};

let api: DeliveryApi;
let ours: Viewer;
let others: Viewer;
let readable: string[];

beforeAll(async () => {
  api = await startDeliveryApi();
  [ours, others] = [await newTenant(api), await newTenant(api)];
  readable = (await readTableSecurity(api.pool)).filter(({ isGranted }) => isGranted).map(({ name }) => name);
});
afterAll(() => api[Symbol.asyncDispose]());

const rowsSeenBy = async (viewer: Viewer | undefined, table: string): Promise<string[]> => {
  const { rows } = await onBehalfOf({ viewer }, () => api.reads.query<{ row: string }>(`select t::text as row from ${table} t`));
  return rows.map(({ row }) => row);
};

test('every table is restricted by a policy, or closed to the reader for a reason', async () => {
  const tables = await readTableSecurity(api.pool);
  const isRestricted = (table: (typeof tables)[number]) => table.isSecured && table.policies > 0;
  const neither = tables.filter((table) => !isRestricted(table) && !(table.name in closedTables)).map(({ name }) => name);
  expect(neither, 'tables with neither a policy nor a reason').toEqual([]);
  expect(tables.filter(({ name, isGranted }) => name in closedTables && isGranted)).toEqual([]);
  expect(Object.keys(closedTables).filter((name) => !tables.some((table) => table.name === name))).toEqual([]);
});

describe('a forgotten predicate', () => {
  test('returns nothing of another organisation, from any table', async () => {
    expect(readable.length).toBeGreaterThan(10);
    for (const table of readable) {
      const [seen, theirs] = [await rowsSeenBy(ours, table), await rowsSeenBy(others, table)];
      expect(seen, table).not.toEqual([]);
      expect(theirs, table).not.toEqual([]);
      expect(seen.filter((row) => theirs.includes(row)), table).toEqual([]);
    }
  });

  test.for(['nobody', 'no operation'])('returns nothing at all where %s asks', async (who) => {
    for (const table of readable) {
      const read = () => api.reads.query(`select 1 from ${table}`);
      const { rowCount } = await (who === 'nobody' ? onBehalfOf({ viewer: undefined }, read) : read());
      expect(rowCount, table).toBe(0);
    }
  });

  test('of an entity returns nothing of another organisation, nor anything where nobody asks', async () => {
    const entities = [...api.orm.getMetadata().getAll().values()].filter(({ tableName }) => readable.includes(tableName));
    expect(entities.map(({ tableName }) => tableName).toSorted()).toEqual(readable);
    for (const { class: entity, tableName } of entities) {
      const found = async (viewer?: Viewer) =>
        (await onBehalfOf({ viewer }, () => api.orm.em.fork().find(entity, {}))).map((one) => JSON.stringify(one));
      const [seen, theirs] = [await found(ours), await found(others)];
      expect([seen.length, theirs.length, seen.filter((one) => theirs.includes(one)).length], tableName).toEqual([expect.any(Number), expect.any(Number), 0]);
      expect(Math.min(seen.length, theirs.length), tableName).toBeGreaterThan(0);
      expect(await found(), tableName).toEqual([]);
    }
  });

  test('is that of the organisation from the moment on in which an operation logs in', async () => {
    const caller: { viewer: Viewer | undefined } = { viewer: undefined };
    const counts = await onBehalfOf(caller, async () => {
      const before = await api.reads.query('select id from organizations');
      caller.viewer = ours;
      return [before.rows, (await api.reads.query('select id from organizations')).rows];
    });
    expect(counts).toEqual([[], [{ id: ours.organizationId }]]);
  });
});

describe('the reader', () => {
  const asReader = (statements: string[]) =>
    onBehalfOf({ viewer: ours }, async () => {
      const client = await api.reads.connect();
      try {
        for (const statement of statements.slice(0, -1)) await client.query(statement);
        return (await client.query(statements.at(-1) ?? '')).rows;
      } finally {
        client.release(true);
      }
    });

  test('can write nothing, also where it says that it will', async () => {
    const mayWrite = 'set default_transaction_read_only = off';
    for (const table of readable) {
      for (const statement of [`insert into ${table} default values`, `delete from ${table}`, `truncate ${table}`]) {
        await expect(asReader([statement]), statement).rejects.toMatchObject({ code: '25006' });
        await expect(asReader([mayWrite, statement]), statement).rejects.toMatchObject({ code: '42501' });
      }
    }
    await expect(asReader([mayWrite, `update forms set title = 'Mine'`])).rejects.toMatchObject({ code: '42501' });
  });

  test('can make nothing, and read nothing of what is closed to it', async () => {
    await expect(asReader(['set default_transaction_read_only = off', 'create table mine (id int)'])).rejects.toMatchObject({ code: '42501' });
    for (const table of Object.keys(closedTables)) await expect(asReader([`select 1 from ${table}`]), table).rejects.toMatchObject({ code: '42501' });
  });

  test.for(['reset role', 'reset all', 'discard all'])('is still the reader after “%s”', async (statement) => {
    expect(await asReader([statement, 'select current_user::text as role'])).toEqual([{ role: 'formwire_reader' }]);
    expect((await asReader(['select 1', statement, 'select id from organizations'])).length).toBeLessThanOrEqual(1);
  });

  test('runs one statement at a time for the entities', async () => {
    const read = () => api.orm.em.getConnection('read').execute('select 1; select 2');
    await expect(onBehalfOf({ viewer: ours }, read)).rejects.toThrow('multiple commands');
  });
});

describe('somebody who is a member of two organisations', () => {
  let both: Viewer;

  beforeAll(async () => {
    both = await newTenant(api);
    await api.pool.query(
      `insert into memberships (id, organization_id, user_id, role, created_at) values ($1, $2, $3, 'viewer', now())`,
      [newId('mem'), ours.organizationId, both.userId],
    );
  });

  test('sees the names of both, and beyond that only the one they work in', async () => {
    const organizations = await onBehalfOf({ viewer: both }, () => api.reads.query<{ id: string }>('select id from organizations'));
    expect(organizations.rows.map(({ id }) => id).toSorted()).toEqual([ours.organizationId, both.organizationId].toSorted());
    for (const table of readable.filter((name) => !['organizations', 'users', 'memberships'].includes(name))) {
      const [seen, theirs] = [await rowsSeenBy(both, table), await rowsSeenBy(ours, table)];
      expect(seen.filter((row) => theirs.includes(row)), table).toEqual([]);
    }
    const { rows } = await onBehalfOf({ viewer: both }, () => api.reads.query<{ id: string }>('select id from users'));
    expect(rows).toEqual([{ id: both.userId }]);
  });

  test('sees nothing any more of one where their membership has ended', async () => {
    const former: Viewer = { ...both, organizationId: others.organizationId, credential: { kind: 'session', id: newId('ses'), role: 'none' } };
    for (const table of readable.filter((name) => !['organizations', 'users', 'memberships'].includes(name))) expect(await rowsSeenBy(former, table), table).toEqual([]);
  });

  test('sees as an API key only what is the key’s organisation’s', async () => {
    const viewer: Viewer = { ...both, credential: { kind: 'key', id: newId('key'), scopes: ['operate'] } };
    const { rows } = await onBehalfOf({ viewer }, () => api.reads.query<{ id: string }>('select id from organizations'));
    expect(rows).toEqual([{ id: both.organizationId }]);
  });
});
