import { Pool } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createOperationScope, endingWithOperation, OperationOverError } from '../../src/db/operation-scope.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';

let database: TestDatabase;
let proxy: TcpProxy;
let pool: Pool;
let operationPool: Pool;
beforeAll(async () => {
  database = await createTestDatabase();
  const url = new URL(database.url);
  proxy = await startTcpProxy(Number(url.port));
  url.port = String(proxy.port);
  // one connection, so that the next borrower gets the one that was cancelled on
  pool = new Pool({ connectionString: url.href, max: 1 });
  pool.on('error', () => undefined);
  operationPool = endingWithOperation(pool);
});
afterAll(async () => {
  await pool.end();
  await proxy[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

test('a cancel that is late does not hit the next statement on the connection', async () => {
  await pool.query('select 1');
  const scope = createOperationScope();
  const own = scope.run(() => operationPool.query('select pg_sleep(0.1)'));
  await expect.poll(() => pool.idleCount).toBe(0);
  const { held, letGo } = proxy.holdNew();
  const ended = scope.end();
  await own; // done before its cancel arrives
  await expect.poll(held).toBe(1);
  const next = pool.query('select pg_sleep(0.3), 1 as one');
  setTimeout(letGo, 100);
  expect((await next).rows).toMatchObject([{ one: 1 }]);
  await ended;
});

test('what runs between the statements of a transaction that is over is cancelled at its next one, and rolled back', async () => {
  const scope = createOperationScope();
  const client = await scope.run(() => operationPool.connect());
  await client.query('begin; create table half_done (id int)');
  const ended = scope.end();
  await expect(client.query('select pg_sleep(60)')).rejects.toMatchObject({ code: '57014' });
  await client.query('rollback');
  client.release();
  await ended;
  expect((await pool.query(`select to_regclass('half_done') as there`)).rows).toEqual([{ there: null }]);
});

test('an operation that is over borrows nothing more, and one that waits for a connection gets none', async () => {
  const [first, scope] = [createOperationScope(), createOperationScope()];
  const client = await first.run(() => operationPool.connect());
  const waiting = scope.run(() => operationPool.query('select 1'));
  await scope.end();
  client.release();
  await expect(waiting).rejects.toThrow(OperationOverError);
  await expect(scope.run(() => operationPool.query('select 1'))).rejects.toThrow(OperationOverError);
  await expect(scope.run(() => operationPool.connect())).rejects.toThrow(OperationOverError);
  expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
});

test('what is read through the pool itself goes on when the operation is over', async () => {
  const scope = createOperationScope();
  const shared = scope.run(() => pool.query('select pg_sleep(0.1), 1 as one'));
  await scope.end();
  expect((await shared).rows).toMatchObject([{ one: 1 }]);
});
