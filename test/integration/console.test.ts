import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { hostname } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { newId, type Id } from '../../src/events/id.ts';
import { noteAlive, noteGone } from '../../src/processes/process-rows.ts';
import { withDatabase } from '../../src/bin/console/installation.ts';
import { compareForms, countEvents } from '../../src/bin/console/compare-forms.ts';
import { createSealer } from '../../src/sealing.ts';
import { noteRunning } from '../../src/bin/running.ts';
import { formwire, runFormwire, type CommandResult } from '../support/command.ts';
import { startNode, startProcess } from '../support/node-process.ts';
import { startProduct, type TestProduct } from '../support/product.ts';
import { startReceiver, verifySignature } from '../support/receiver.ts';
import { insertDelivery, insertIntegration, insertOutboxRow, insertResponse, type DeliveryDetails } from '../support/rows.ts';
import { createTemporaryDirectory } from '../support/temporary-directory.ts';

let product: TestProduct;
let owner: { organizationId: Id<'org'>; userId: Id<'usr'> };
let formId: Id<'form'>;
let integrationId: Id<'intg'>;

beforeAll(async () => {
  product = await startProduct();
  const me = await product.api.call<{ id: Id<'usr'>; organization: { id: Id<'org'> } }>('{ me { id organization { id } } }');
  owner = { organizationId: me.organization.id, userId: me.id };
});
afterAll(() => product[Symbol.asyncDispose]());
beforeEach(async () => {
  const { form } = await product.api.call<{ form: { id: Id<'form'> } }>('mutation ($input: CreateFormInput!) { createForm(input: $input) { form { id } errors { message } } }', { title: 'Lunch', questions: [{ text: 'How many?', kind: 'INTEGER' }] });
  formId = form.id;
  await product.pipeline.pool.query('delete from deliveries');
  integrationId = await insertIntegration(product.pipeline.pool, { ...owner, formId, status: 'paused' });
});

const consoleEnv = () => ({ PATH: process.env['PATH'] ?? '', DATABASE_URL: product.databaseUrl, NATS_URL: product.nats.url, PORT: new URL(product.url).port });
const run = (...args: string[]): Promise<CommandResult> => runFormwire(args, consoleEnv());
const submit = (value: number) => product.api.call('mutation ($input: SubmitResponseInput!) { submitResponse(input: $input) { response { id } errors { message } } }', { formId, answers: [{ key: 'how_many', value }] });
/** Whether `listen` has connected the form. */
const connected = async () => (await product.pipeline.pool.query(`select 1 from integrations where form_id = $1 and name = 'formwire listen' and deleted_at is null`, [formId])).rowCount;
const add = async (details: Partial<DeliveryDetails> = {}): Promise<Id<'dlv'>> => {
  const responseId = await insertResponse(product.pipeline.pool, { formId });
  return insertDelivery(product.pipeline.pool, { ...owner, formId, responseId, integrationId, ...details });
};
const hoursAgo = (hours: number): Date => new Date(Date.now() - hours * 3_600_000);

describe('status', () => {
  test('tells of everything that works and waits, and ends with 0 while nothing is late', async () => {
    await add({ status: 'pending' });
    await expect.poll(async () => (await run('status', '--json')).code, { timeout: 20_000 }).toBe(0);
    const { json } = await run('status', '--json');
    expect(json.database).toMatchObject({ version: expect.any(String), outbox: { events: 0, oldestAgeMs: null }, dispatchers: [{ id: product.pipeline.dispatcher?.id }] });
    expect(json.database.partitions.map((one: { owner: string }) => one.owner)).toEqual(Array(16).fill(product.pipeline.dispatcher?.id));
    expect(json.stream.partitions).toHaveLength(16);
    expect(json.api).toEqual({ url: product.url, reasons: [] });
    expect(json.backlog).toMatchObject([{ integrationId, pending: 1, late: 0, dead: 0, organization: expect.any(String) }]);
    const { stdout } = await run('status');
    expect(stdout).toMatch(/outbox\s+empty/);
    expect(json.database.processes).toMatchObject([{ pid: process.pid, roles: ['api', 'relay', 'dispatcher'], url: product.url, reasons: [], isAlive: true, dispatcherId: product.pipeline.dispatcher?.id }]);
    expect(stdout).toMatch(new RegExp(`${hostname()}:${process.pid} .*api, relay, dispatcher .* 0-15 +0 +0 .* ago  ready`));
    expect(stdout).toMatch(new RegExp(`${integrationId}\\s+Hook\\s+webhook\\s+paused\\s+1\\s+0`));
  });

  test('tells of processes elsewhere, of one that is gone, and of partitions whose owner nobody knows', async () => {
    const { pool } = product.pipeline;
    const elsewhere = { roles: ['api' as const], version: '9.9.9', url: 'http://10.0.0.1:4000', dispatcherId: null, startedAt: new Date() };
    const [api, gone] = [newId('prc'), newId('prc')];
    await noteAlive(pool, { ...elsewhere, id: api, host: 'far', pid: 1, reasons: ['NATS cannot be reached.'] }, new Date());
    await noteAlive(pool, { ...elsewhere, id: gone, host: 'away', pid: 2, reasons: [] }, new Date());
    await pool.query(`update processes set seen_at = now() - interval '10 minutes', expires_at = now() - interval '9 minutes' where id = $1`, [gone]);
    const { stdout } = await run('status');
    expect(stdout).toMatch(/far:1 +api +9\.9\.9 .*NATS cannot be reached\./);
    expect(stdout).toMatch(/away:2 .* 10 m ago  gone, without a goodbye/);
    const stranger = newId('dsp');
    await pool.query(`update partition_leases set owner = $1, expires_at = now() + interval '1 hour' where partition = 3`, [stranger]);
    expect((await run('status')).stdout).toMatch(new RegExp(`${stranger} +3 `));
    await pool.query(`update partition_leases set owner = null, expires_at = null where partition = 3`);
    await Promise.all([api, gone].map((id) => noteGone(pool, id)));
    expect((await run('status', '--json')).json.database.processes).toHaveLength(1);
  });

  test('tells of an integration that no dispatcher can serve, whatever is stored of it', async () => {
    const { pool } = product.pipeline;
    const id = await insertIntegration(pool, { ...owner, formId });
    const sealer = createSealer([Buffer.alloc(32, 'of another installation')]);
    await pool.query('update integrations set secrets = $2, updated_at = now() where id = $1', [id, JSON.stringify([sealer.seal('whsec_x', id)])]);
    await submit(3);
    const ofIt = async () => (await run('status', '--json')).json.backlog.find((one: { integrationId: string }) => one.integrationId === id);
    await expect.poll(ofIt, { timeout: 20_000 }).toMatchObject({ status: 'active', notServed: expect.stringMatching(/^Its secrets cannot be read: the key/) });
    expect((await run('status')).stdout).toMatch(new RegExp(`${id} .* not served +1 .* Its secrets cannot be read: the key`));
    await pool.query('update integrations set status = $2, updated_at = now() where id = $1', [id, 'paused']);
    expect(await ofIt()).toMatchObject({ status: 'paused', notServed: null });
    await pool.query('delete from responses where form_id = $1', [formId]); // or its delivery, which goes after each test, would be missing
  });

  test('ends with 3 where something is late or dead, by the age that it is given', async () => {
    await add({ status: 'pending', createdAt: hoursAgo(2) });
    expect(await run('status')).toMatchObject({ code: 3, stdout: expect.stringMatching(/1 pending, 1 late, 0 dead/) });
    expect((await run('status', '--late', '3h')).code).toBe(0);
    await add({ status: 'dead', finishedAt: hoursAgo(1) });
    expect((await run('status', '--late', '3h')).code).toBe(3);
  });

  test('ends with 3 where an event has not been dispatched for that long', async () => {
    const { pool } = product.pipeline;
    // as where the partition's dispatcher stands still
    await pool.query(`create function keep() returns trigger language plpgsql as 'begin return null; end'; create trigger keep before delete on outbox for each row execute function keep()`);
    await insertOutboxRow(pool, { ...owner, formId, responseId: await insertResponse(pool, { formId }) });
    await pool.query(`update outbox set created_at = now() - interval '2 hours'`);
    expect(await run('status', '--late', '1h')).toMatchObject({ code: 3, stdout: expect.stringMatching(/outbox +1 event, the oldest 2 h old, late\n/) });
    expect((await run('status', '--late', '3h')).code).toBe(0);
    await pool.query('drop trigger keep on outbox; drop function keep; delete from outbox');
  });

  test('tells what it can without NATS and without the API', async () => {
    const { code, stdout } = await runFormwire(['status'], { DATABASE_URL: product.databaseUrl, NATS_URL: 'nats://127.0.0.1:1', PORT: '1' });
    expect(code).toBe(3);
    expect(stdout).toMatch(/API\s+http:\/\/127\.0\.0\.1:1 does not answer/);
    expect(stdout).toMatch(/NATS\s+.*refused/i);
    expect(stdout).toMatch(/0-15\s+\?/);
  });
});

test('a command says which database does not answer, and keeps its password', async () => {
  const away = await runFormwire(['status'], { DATABASE_URL: 'postgresql://me:secret@127.0.0.1:1/formwire' });
  expect(away).toMatchObject({ code: 1, stderr: 'formwire: PostgreSQL 127.0.0.1:1 cannot be reached: connect ECONNREFUSED 127.0.0.1:1\n' });
  const { host } = new URL(product.databaseUrl);
  const refused = await runFormwire(['dead'], { DATABASE_URL: `postgresql://nobody:secret@${host}/formwire` });
  expect(refused).toMatchObject({ code: 1, stderr: expect.stringMatching(new RegExp(`^formwire: PostgreSQL ${host} cannot be reached: `)) });
  expect(refused.stderr).not.toContain('secret');
});

test('a command that loses the database on its way says so', async () => {
  const lose = withDatabase({ databaseUrl: product.databaseUrl }, async (pool) => {
    const client = await pool.connect();
    const ended = new Promise<void>((resolve) => client.once('end', resolve));
    await product.pipeline.pool.query(`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'formwire-console'`);
    await ended;
    await client.query('select 1').finally(() => client.release(true));
  });
  await expect(lose).rejects.toThrow(new RegExp(`^PostgreSQL ${new URL(product.databaseUrl).host} does not answer any more: `));
});

describe('deliveries', () => {
  test('are listed newest first, chosen by options', async () => {
    const ids = [await add({ status: 'dead', errorClass: 'TIMEOUT', finishedAt: hoursAgo(1), reason: 'No answer.\nReally.' }), await add({ createdAt: hoursAgo(30) })];
    expect((await run('deliveries', '--json')).json.map((row: { id: string }) => row.id)).toEqual(ids.toReversed());
    for (const options of [['--status', 'dead'], ['--class', 'TIMEOUT'], ['--since', '24h', '--form', formId], ['--limit', '1', '--status', 'DEAD', '--integration', integrationId]]) {
      expect([options, (await run('deliveries', '--json', ...options)).json.map((row: { id: string }) => row.id)]).toEqual([options, [ids[0]]]);
    }
    const { stdout } = await run('deliveries');
    expect(stdout.split('\n').filter((line) => line.startsWith('dlv_'))).toHaveLength(2);
    expect(stdout).toContain('No answer. Really.');
  });

  test('are told one by one with their attempts', async () => {
    const id = await add({ status: 'dead', reason: 'No answer.', finishedAt: hoursAgo(1) });
    await product.pipeline.pool.query(`insert into attempts (delivery_id, number, at, duration_ms, outcome, error_class, error) values ($1, 1, now(), 15000, 'retry', 'TIMEOUT', 'No answer.')`, [id]);
    const { code, stdout } = await run('deliveries', id);
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringMatching(/15,000 ms\s+retry/) });
    const unknown = newId('dlv');
    expect(await run('deliveries', id, unknown)).toMatchObject({ code: 1, stderr: `formwire: There is no ${unknown}.\n` });
  });
});

describe('dead and redeliver', () => {
  test('group what is dead, and send it again in the name of the operator', async () => {
    expect(await run('dead')).toMatchObject({ code: 0, stdout: 'Nothing is dead.\n' });
    const dead = { status: 'dead', finishedAt: hoursAgo(1) } as const;
    const [timedOut, refused] = [await add({ ...dead, errorClass: 'TIMEOUT', reason: 'No answer.' }), await add({ ...dead, errorClass: 'HTTP_STATUS' })];
    await add({ ...dead, errorClass: 'HTTP_STATUS' });
    const { code, json } = await run('dead', '--json', '--integration', integrationId);
    expect({ code, json }).toMatchObject({ code: 3, json: [{ errorClass: 'HTTP_STATUS', count: 2 }, { errorClass: 'TIMEOUT', count: 1, exampleId: timedOut, reason: 'No answer.' }] });

    expect(await run('redeliver', '--class', 'TIMEOUT')).toMatchObject({ code: 0, stdout: expect.stringContaining('1 sent again.') });
    const told = await run('redeliver', refused, newId('dlv'), '--json');
    expect(told).toMatchObject({ code: 1, json: { redelivered: [refused], unknown: [expect.any(String)] } });
    const { rows } = await product.pipeline.pool.query(`select status, redelivered_by as by from deliveries order by id`);
    expect(rows).toEqual([{ status: 'pending', by: 'operator' }, { status: 'pending', by: 'operator' }, { status: 'dead', by: null }]);
    expect(await run('redeliver', '--everything', '--json')).toMatchObject({ code: 0, json: { redelivered: 1 } });
    expect(await run('redeliver', '--everything')).toMatchObject({ code: 0, stdout: '0 sent again.\n', stderr: '' });
  });

  test('send each again once, also where it is dead again before the next thousands are looked for', async () => {
    const { pool } = product.pipeline;
    await pool.query(`
      create function reject() returns trigger language plpgsql as $$ begin new.status := 'dead'; new.attempts := old.attempts + 1; return new; end $$;
      create trigger reject before update on deliveries for each row when (new.status = 'pending') execute function reject()`);
    const sent = { ...owner, formId, integrationId, status: 'dead', finishedAt: hoursAgo(1), attempts: 0 } as const;
    const one = await add(sent);
    await pool.query(
      `insert into deliveries (id, event_id, event_type, position, organization_id, form_id, response_id, integration_id, partition, status, attempts, created_at, finished_at)
       select 'dlv_' || lpad(n::text, 26, '0'), 'evt_' || n, event_type, n, organization_id, form_id, response_id, integration_id, partition, status, attempts, created_at, finished_at
       from deliveries, generate_series(1, 10000) n where id = $1`,
      [one],
    );
    const told = await run('redeliver', '--form', formId, '--json');
    expect(told).toMatchObject({ code: 0, json: { redelivered: 10_001 } });
    expect(JSON.parse(told.stderr)).toMatchObject({ event: 'operator.redelivered', redelivered: 10_001, formId, status: 'dead', operator: expect.stringContaining('@') });
    expect((await pool.query('select distinct attempts from deliveries')).rows).toEqual([{ attempts: 1 }]);
    await pool.query('drop trigger reject on deliveries; drop function reject');
  });

  test('take a name that stands there twice once, and tell of nothing but deliveries', async () => {
    const id = await add({ status: 'dead', finishedAt: hoursAgo(1) });
    expect(await run('redeliver', id, id, '--json')).toMatchObject({ code: 0, json: { redelivered: [id] } });
    expect(Object.keys((await run('redeliver', id, '--json')).json)).toEqual(['redelivered', 'withoutIntegration', 'withoutResponse', 'unknown']);
  });

  test('say where there is no such form or integration, and comfort nobody', async () => {
    const [noForm, noIntegration] = [newId('form'), newId('intg')];
    for (const [command, ...args] of [['dead', '--form', noForm], ['deliveries', '--integration', noIntegration], ['redeliver', '--form', noForm], ['dead', '--integration', noIntegration]] as const) {
      expect([command, await run(command, ...args)]).toMatchObject([command, { code: 1, stdout: '', stderr: `formwire: There is no ${args[1]}.\n` }]);
    }
  });

  test('ask for a choice that is clear', async () => {
    for (const args of [[], [newId('dlv'), '--everything'], ['--status', 'delivered', '--everything'], ['dlv_x'], ['--form', 'form_x'], ['--since', 'soon'], ['--nope']]) {
      expect([args, (await run('redeliver', ...args)).code]).toEqual([args, 2]);
    }
  });
});

describe('reconcile', () => {
  test('proves that nothing is missing, and finds and mends what is', async () => {
    const { pool } = product.pipeline;
    await pool.query(`update integrations set status = 'active', settings = '{"url":"http://127.0.0.1:1/"}' where id = $1`, [integrationId]);
    for (const value of [1, 2]) {
      await product.api.call('mutation ($input: SubmitResponseInput!) { submitResponse(input: $input) { response { id } errors { message } } }', { formId, answers: [{ key: 'how_many', value }] });
    }
    const count = async () => (await pool.query('select 1 from deliveries where form_id = $1', [formId])).rowCount;
    await expect.poll(count).toBe(2);
    expect(await run('reconcile', '--form', formId)).toMatchObject({ code: 0, stdout: expect.stringMatching(/2 responses, 2 events, 1 form\.[^]*Nothing is missing\./) });
    await pool.query('delete from deliveries where id = (select min(id) from deliveries where form_id = $1)', [formId]);

    expect(await run('reconcile', '--json')).toMatchObject({ code: 3, json: { missing: [{ formId, integrationId, eventType: 'response.created' }], repaired: 0 } });
    expect(await run('reconcile', '--form', formId, '--until', '1h', '--since', '2h')).toMatchObject({ code: 0 });
    const repaired = await run('reconcile', '--form', formId, '--repair');
    expect(repaired).toMatchObject({ code: 0, stdout: expect.stringMatching(/1 missing:\n {2}response\.created of resp_.*\n1 on their way again/) });
    expect(JSON.parse(repaired.stderr)).toMatchObject({ event: 'operator.repaired', formId, repaired: 1, operator: expect.stringContaining('@') });
    await expect.poll(count, { timeout: 20_000 }).toBe(2);
    expect(await run('reconcile', '--form', formId)).toMatchObject({ code: 0 });
    expect((await run('reconcile', '--since', '1h', '--until', '2h')).code).toBe(2);
    expect((await run('reconcile', '--form', newId('form'))).code).toBe(1);
  });
});

test('a comparison tells how far it is, of as many events as it has counted before', async () => {
  const { pool } = product.pipeline;
  await pool.query(
    `insert into responses (id, form_id, form_version, family_id, revision, submitted_at, answers, respondent, collector, metadata)
     select id, $1, 1, id, 1, now(), '{}', '{}', '{}', '{}' from unnest($2::text[]) as id`,
    [formId, Array.from({ length: 5_100 }, () => newId('resp'))],
  );
  const comparing = { formIds: [formId], since: hoursAgo(1), until: hoursAgo(-1) };
  const told: number[] = [];
  await compareForms(pool, { ...comparing, repairs: false, onRepaired: () => undefined, onCompared: (events) => told.push(events) });
  expect([await countEvents(pool, comparing), told]).toEqual([5_100, [5_000, 5_100]]);
  expect(await countEvents(pool, { ...comparing, until: hoursAgo(0.5) })).toBe(0);
});

describe('token', () => {
  test('makes a key that the API takes, for its time and scopes, and says so in the log', async () => {
    const { code, stdout, stderr } = await run('token', '--organization', owner.organizationId, '--valid', '10m');
    expect(code).toBe(0);
    const key = stdout.trim();
    const line = JSON.parse(stderr);
    expect(line).toMatchObject({ event: 'operator.key_created', keyId: expect.stringMatching(/^key_/), organizationId: owner.organizationId, scopes: ['operate'], operator: expect.stringContaining('@') });
    expect(stderr).not.toContain(key);
    const ask = async (query: string) => {
      const response = await fetch(`${product.url}/graphql`, { method: 'POST', headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` }, body: JSON.stringify({ query }) });
      return (await response.json()) as { data?: unknown; errors?: { extensions: { code: string } }[] };
    };
    expect(await ask(`{ form(id: "${formId}") { deadLetters { count } } }`)).toMatchObject({ data: { form: { deadLetters: [] } } });
    expect((await ask(`{ form(id: "${formId}") { responses { edges { cursor } } } }`)).errors).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }]);

    expect(await run('token', '--revoke', line.keyId)).toMatchObject({ code: 0, stderr: expect.stringContaining('operator.key_revoked') });
    await expect.poll(async () => (await ask(`{ form(id: "${formId}") { deadLetters { count } } }`)).errors?.[0]?.extensions.code).toBe('UNAUTHENTICATED');
  });

  test('refuses scopes, times and organisations that there are not', async () => {
    for (const args of [['--scopes', 'everything'], ['--valid', '721h'], ['--valid', 'long'], ['--organization', 'org_x']]) {
      expect([args, (await run('token', ...args)).code]).toEqual([args, 2]);
    }
    expect(await run('token', '--organization', newId('org'))).toMatchObject({ code: 1, stdout: '' });
  });
});

test('listen connects a form, shows what comes in and that it is signed, and disconnects at the end', async () => {
  const listening = run('listen', '--form', formId, '--count', '2', '--body');
  await expect.poll(connected, { timeout: 20_000 }).toBe(1);
  for (const value of [1, 2]) await submit(value);
  const { code, stdout } = await listening;
  expect(code).toBe(0);
  expect(stdout.match(/response\.created\s+signed\s+→ 204/g)).toHaveLength(2);
  expect(stdout).toMatch(/"key": "how_many"/);
  const { rows } = await product.pipeline.pool.query(`select count(*)::int from integrations where form_id = $1 and name = 'formwire listen' and deleted_at is null
    union all select count(*)::int from api_keys where name like 'formwire listen%' and revoked_at is null`, [formId]);
  expect(rows).toEqual([{ count: 0 }, { count: 0 }]);
});

test('listen hands on what comes in as it came, and answers what is answered', { timeout: 60_000 }, async () => {
  await using developed = await startReceiver({ respond: ({ attempt }) => (attempt === 1 ? { status: 503, headers: { 'retry-after': '1' }, body: 'Not yet.' } : 200) });
  await using listening = startProcess({ command: process.execPath, args: [formwire, 'listen', '--form', formId, '--count', '2', '--forward-to', developed.url.replace('http://', '')], env: consoleEnv() });
  const [, secret = ''] = await listening.says(/with: (whsec_\S+)\nListening at /);
  await submit(1);
  await developed.waitFor(1);
  await listening.says(/response\.created\s+signed\s+→ 503\n/);
  verifySignature(developed.requests[0], secret);
  expect(developed.requests[0]).toMatchObject({ method: 'POST', path: '/hooks', headers: { 'content-type': 'application/json', 'webhook-id': expect.stringMatching(/^evt_/) } });
  const attempts = async () => (await product.pipeline.pool.query(`select a.http_status as status, a.response_body as body from attempts a join deliveries d on d.id = a.delivery_id where d.form_id = $1 order by a.number`, [formId])).rows;
  await expect.poll(attempts, { timeout: 20_000 }).toEqual([{ status: 503, body: 'Not yet.' }, { status: 200, body: null }]);
  expect(await listening.exited).toBe(0);
});

test('listen says where there is nobody to hand it on to, and refuses what is no place', { timeout: 60_000 }, async () => {
  const listening = run('listen', '--form', formId, '--count', '1', '--json', '--forward-to', 'http://127.0.0.1:1/');
  await expect.poll(connected, { timeout: 20_000 }).toBe(1);
  await submit(1);
  expect(await listening).toMatchObject({ code: 0, json: { isSigned: true, status: 502, trouble: '127.0.0.1:1 refused the connection.' } });
  expect(await run('listen', '--port', new URL(product.url).port)).toMatchObject({ code: 1, stderr: expect.stringMatching(/^formwire: The port \d+ cannot be had: .*EADDRINUSE.* Say another --port/) });
  for (const args of [['--forward-to', 'ftp://127.0.0.1'], ['--forward-to', 'http://me:secret@127.0.0.1/'], ['--forward-to', '127.0.0.1:1', '--status', '200']]) expect([args, (await run('listen', ...args)).code]).toEqual([args, 2]);
});

test('listen ends when nobody reads what it says any more', { timeout: 60_000 }, async () => {
  const child = spawn(process.execPath, [formwire, 'listen', '--form', formId, '--json'], { stdio: ['ignore', 'pipe', 'ignore'], env: consoleEnv() });
  child.stdout.destroy();
  const exited = once(child, 'exit');
  await expect.poll(connected, { timeout: 20_000 }).toBe(1);
  await submit(1);
  expect(await exited).toEqual([0, null]);
  expect(await connected()).toBe(0);
});

describe('a command', () => {
  test('finds the Formwire that runs on the data directory, and says where none does', async () => {
    using data = createTemporaryDirectory();
    mkdirSync(path.join(data.path, 'other'));
    const places = { databaseUrl: product.databaseUrl, natsUrl: product.nats.url, apiUrl: product.url };
    const ask = () => runFormwire(['dead'], { FORMWIRE_DATA: data.path });
    expect(await ask()).toMatchObject({ code: 1, stderr: expect.stringMatching(/No Formwire is running on the data directory .*start it/i) });
    {
      using _note = noteRunning({ FORMWIRE_DATA: data.path }, places);
      expect(await ask()).toMatchObject({ code: 0 });
    }
    expect((await ask()).code).toBe(1);

    // one that was killed has left its note
    const note = path.resolve(import.meta.dirname, '../../src/bin/running.ts');
    await using killed = startNode(`import { noteRunning } from ${JSON.stringify(note)}; noteRunning({ FORMWIRE_DATA: ${JSON.stringify(data.path)} }, ${JSON.stringify(places)}); console.log('noted'); setInterval(() => {}, 1000);`);
    await killed.says('noted');
    expect((await ask()).code).toBe(0);
    await killed.kill('SIGKILL');
    expect((await ask()).code).toBe(1);
  });

  test('helps, without colours where nobody sees them, and refuses what there is not', async () => {
    const help = await runFormwire(['status', '--help'], {});
    expect(help).toMatchObject({ code: 0, stdout: expect.stringMatching(/USAGE formwire status/) });
    expect(help.stdout).not.toContain('\u001b');
    expect(await runFormwire(['--help'], {})).toMatchObject({ code: 0, stdout: expect.stringMatching(/Exit codes: 0 fine/) });
    expect((await runFormwire(['destroy'], {})).code).toBe(2);
    expect(await runFormwire(['status', '--colour'], {})).toMatchObject({ code: 2, stderr: expect.stringContaining('There is no --colour here; it takes --json, --late, --all.') });
  });
});
