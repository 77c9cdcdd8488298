import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { createStandings } from '../../src/accounts/standings.ts';
import { startTestApi, type TestApi } from '../support/api.ts';

let api: TestApi;
let token: string;
let start: Date;
beforeAll(async () => {
  api = await startTestApi();
  start = api.clock.now;
  ({ token } = await api.register('owner'));
});
afterEach(() => {
  api.clock.now = start;
  api.standings.forget();
});
afterAll(() => api[Symbol.asyncDispose]());

const createMutation = `mutation ($input: CreateApiKeyInput!) {
  createApiKey(input: $input) { key apiKey { id name prefix scopes expiresAt lastUsedAt revokedAt createdBy { username } } errors { code message path } }
}`;
const create = async (input: object) => (await api.gql(createMutation, { input }, token)).createApiKey;
const revoke = async (id: string) =>
  (await api.gql('mutation ($input: RevokeApiKeyInput!) { revokeApiKey(input: $input) { apiKey { revokedAt } errors { code path } } }', { input: { id } }, token)).revokeApiKey;
const listed = async (id: string) => {
  const { apiKeys } = await api.gql('{ apiKeys(first: 100) { edges { node { id name prefix scopes lastUsedAt revokedAt } } } }', {}, token);
  return apiKeys.edges.map(({ node }: { node: { id: string } }) => node).find((node: { id: string }) => node.id === id);
};
const statusOf = async (key: string) => (await api.post({ query: '{ forms { edges { node { id } } } }' }, { token: key })).status;

test('a key is shown once, stands for its organisation, and is listed by its prefix', async () => {
  const { key, apiKey, errors } = await create({ name: 'Import', scopes: ['FORMS_WRITE', 'RESPONSES_READ', 'FORMS_WRITE'] });
  expect(errors).toEqual([]);
  expect(key).toMatch(/^fwk_[\w-]{43}$/);
  expect(apiKey).toMatchObject({ name: 'Import', prefix: key.slice(0, 12), scopes: ['RESPONSES_READ', 'FORMS_WRITE'], createdBy: { username: 'owner' } });
  expect(await statusOf(key)).toBe(200);
  const made = await api.gql('mutation { createForm(input: { title: "By a program", questions: [] }) { form { id } errors { message } } }', {}, key);
  expect(made.createForm.errors).toEqual([]);
  expect(await listed(apiKey.id)).toMatchObject({ prefix: key.slice(0, 12), revokedAt: null });
  expect(JSON.stringify((await api.pool.query('select * from api_keys')).rows)).not.toContain(key);
});

test('what a key lacks is said with the scope that it would need', async () => {
  const { key } = await create({ name: 'Reader', scopes: ['RESPONSES_READ'] });
  const { body } = await api.post({ query: 'mutation { createForm(input: { title: "x", questions: [] }) { form { id } } }' }, { token: key });
  expect(body.errors).toMatchObject([{ message: 'This API key may not do this; it would need the scope forms:write.', extensions: { code: 'FORBIDDEN' } }]);
});

test('a key that nobody made, or that is none, is refused', async () => {
  for (const wrong of [`fwk_${'a'.repeat(43)}`, 'fwk_', `fwk_${'a'.repeat(2_000)}`]) expect(await statusOf(wrong)).toBe(401);
});

test('a revoked key is refused at once here, and by other processes within a second; revoking it again changes nothing', async () => {
  const { key, apiKey } = await create({ name: 'Leaked', scopes: ['OPERATE'] });
  const elsewhere = createStandings({ pool: api.pool, now: () => api.clock.now });
  expect(await elsewhere.ofKey(key)).toMatchObject({ credential: { kind: 'key', scopes: ['operate'] } });
  const { apiKey: revoked } = await revoke(apiKey.id);
  const revokedAt = performance.now();
  expect(await statusOf(key)).toBe(401);
  await expect.poll(() => elsewhere.ofKey(key), { interval: 20, timeout: 2_000 }).toBeUndefined();
  expect(performance.now() - revokedAt).toBeLessThan(1_000);
  api.clock.now = new Date(start.getTime() + 60_000);
  expect((await revoke(apiKey.id)).apiKey).toEqual(revoked);
  expect(await listed(apiKey.id)).toMatchObject({ revokedAt: revoked.revokedAt });
});

test('a key is refused from its expiry on', async () => {
  const { key } = await create({ name: 'Brief', scopes: ['OPERATE'], expiresAt: new Date(start.getTime() + 60_000) });
  expect(await statusOf(key)).toBe(200);
  api.clock.now = new Date(start.getTime() + 60_000);
  api.standings.forget();
  expect(await statusOf(key)).toBe(401);
});

test('its use is noted at most once a minute', async () => {
  const { key, apiKey } = await create({ name: 'Busy', scopes: ['OPERATE'] });
  const useAt = async (seconds: number) => {
    api.clock.now = new Date(start.getTime() + seconds * 1_000);
    api.standings.forget();
    await Promise.all([statusOf(key), statusOf(key)]);
    return (await listed(apiKey.id)).lastUsedAt;
  };
  expect((await listed(apiKey.id)).lastUsedAt).toBeNull();
  expect(await useAt(0)).toBe('2026-11-21T02:15:00.000Z');
  expect(await useAt(59)).toBe('2026-11-21T02:15:00.000Z');
  expect(await useAt(60)).toBe('2026-11-21T02:16:00.000Z');
});

test('a key has a name, a scope, and no expiry in the past, all said at once; and there is a bound to their number', async () => {
  const { apiKey, key, errors } = await create({ name: ' ', scopes: [], expiresAt: start });
  expect([apiKey, key]).toEqual([null, null]);
  expect(errors.map((error: { path: string[] }) => error.path[0])).toEqual(['name', 'scopes', 'expiresAt']);
  expect((await create({ name: 'a\u0000', scopes: ['OPERATE'] })).errors).toMatchObject([{ code: 'INVALID_INPUT', path: ['name'] }]);
  expect(await revoke("key_'; --")).toMatchObject({ apiKey: null, errors: [{ code: 'NOT_FOUND', path: ['id'] }] });

  await api.pool.query(`insert into api_keys (id, organization_id, created_by_id, name, prefix, hash, scopes, created_at)
    select 'key_' || lpad(n::text, 26, '0'), k.organization_id, k.created_by_id, 'many', 'fwk_', 'h' || n, '[]', now()
    from generate_series(1, 200) n, (select * from api_keys limit 1) k`);
  expect((await create({ name: 'One more', scopes: ['OPERATE'] })).errors).toMatchObject([{ code: 'TOO_MANY' }]);
  await api.pool.query(`update api_keys set expires_at = $1 where name = 'many'`, [new Date(start.getTime() - 1)]);
  expect((await create({ name: 'One more', scopes: ['OPERATE'] })).errors, 'those that have expired count no more').toEqual([]);
});
