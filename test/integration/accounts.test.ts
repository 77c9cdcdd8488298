import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestApi, type TestApi } from '../support/api.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api[Symbol.asyncDispose]());

const registerMutation = `mutation ($input: RegisterInput!) {
  register(input: $input) {
    token
    user { id username email mobile organization { id name } }
    errors { code message path }
  }
}`;
const loginMutation = `mutation ($input: LoginInput!) { login(input: $input) { token user { username } errors { code path } } }`;
const meQuery = '{ me { username organization { name } } }';

const ada = { username: 'Ada.L', email: 'Ada@Example.org', password: 'analytical', mobile: '+1 415 555 0100', organization: 'Engines Ltd' };
const register = async (input: Record<string, unknown>) => (await api.gql(registerMutation, { input })).register;
const login = async (input: Record<string, unknown>) => (await api.gql(loginMutation, { input })).login;

test('registering makes a user with an organisation and logs them in', async () => {
  const { token, user, errors } = await register(ada);
  expect(errors).toEqual([]);
  expect(user).toMatchObject({ username: 'ada.l', email: 'ada@example.org', mobile: '+14155550100', organization: { name: 'Engines Ltd' } });
  expect(await api.gql(meQuery, {}, token)).toEqual({ me: { username: 'ada.l', organization: { name: 'Engines Ltd' } } });
});

test('an organisation without a name is called like its user', async () => {
  const { user } = await register({ username: 'solo', email: 'solo@example.org', password: 'long enough' });
  expect(user.organization.name).toBe('solo');
});

test('a name that somebody has, in whatever case, is told with its path, and all faults at once', async () => {
  await register({ username: 'first', email: 'first@example.org', password: 'long enough' });
  const { user, token, errors } = await register({ username: 'FIRST', email: 'First@example.ORG', password: 'long enough' });
  expect([user, token]).toEqual([null, null]);
  expect(errors).toMatchObject([{ code: 'TAKEN', path: ['username'] }, { code: 'TAKEN', path: ['email'] }]);
});

test('of two who register the same name at the same time one gets it and the other is told', async () => {
  const input = (number: number) => ({ username: 'twin', email: `twin${number}@example.org`, password: 'long enough' });
  const answers = await Promise.all([1, 2, 3].map((number) => register(input(number))));
  expect(answers.filter((answer) => answer.user)).toHaveLength(1);
  for (const { errors } of answers.filter((answer) => !answer.user)) expect(errors).toMatchObject([{ code: 'TAKEN', path: ['username'] }]);
});

test('every member of a registration that is not sound is told', async () => {
  const { errors } = await register({ username: 'a b', email: 'nobody', password: 'short', mobile: '12', organization: ' ' });
  expect(errors.map((error: { path: string[] }) => error.path[0])).toEqual(['username', 'email', 'password', 'mobile', 'organization']);
});

test('one logs in with the username or the e-mail address, in any case, in either field', async () => {
  await register({ username: 'lin', email: 'lin@example.org', password: 'long enough' });
  for (const name of [{ username: 'LIN' }, { username: 'Lin@example.org' }, { email: 'lin@EXAMPLE.org' }]) {
    expect(await login({ ...name, password: 'long enough' })).toMatchObject({ user: { username: 'lin' }, errors: [] });
  }
});

test('a wrong password and an unknown account get the same answer', async () => {
  await register({ username: 'eve', email: 'eve@example.org', password: 'long enough' });
  const wrong = await login({ username: 'eve', password: 'not that one' });
  const unknown = await login({ username: 'nobody', password: 'not that one' });
  expect(wrong).toEqual({ token: null, user: null, errors: [{ code: 'INVALID_CREDENTIALS', path: [] }] });
  expect(unknown).toEqual(wrong);
});

test('a login names exactly one account, and nothing hostile reaches the database', async () => {
  for (const name of [{}, { username: 'a', email: 'a@example.org' }, { username: 'a\u0000' }]) {
    expect((await login({ ...name, password: 'x' })).errors).toMatchObject([{ code: 'INVALID_INPUT' }]);
  }
});

test('without a token nobody is logged in', async () => {
  expect(await api.gql(meQuery)).toEqual({ me: null });
});

test('a token is refused once its hour is over, with 401', async () => {
  const { token } = await api.register('hourly');
  const start = api.clock.now;
  try {
    api.clock.now = new Date(start.getTime() + 59 * 60_000);
    expect(await api.gql('{ me { username } }', {}, token)).toEqual({ me: { username: 'hourly' } });
    api.clock.now = new Date(start.getTime() + 61 * 60_000);
    const late = await api.post({ query: meQuery }, { token });
    expect(late).toMatchObject({ status: 401, body: { errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] } });
    expect(late.headers['www-authenticate']).toBe('Bearer');
  } finally {
    api.clock.now = start;
  }
});

test('a token that was altered, or is none, is refused', async () => {
  const { token } = await api.register('mallory');
  const [header, payload = '', signature] = token.split('.');
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString());
  const forged = Buffer.from(JSON.stringify({ ...claims, exp: claims.exp + 1 })).toString('base64url');
  for (const wrong of [`${header}.${forged}.${signature}`, 'nonsense', `${token}x`]) {
    expect((await api.post({ query: meQuery }, { token: wrong })).status).toBe(401);
  }
  expect((await api.post({ query: meQuery }, { headers: { authorization: 'Basic YTpi' } })).status).toBe(401);
});

test('users and organisations are seen by node, but only one’s own', async () => {
  const mine = await api.register('insider');
  const other = await api.register('outsider');
  const query = 'query ($id: ID!) { node(id: $id) { __typename id } }';
  expect(await api.gql(query, { id: mine.userId }, mine.token)).toEqual({ node: { __typename: 'User', id: mine.userId } });
  expect(await api.gql(query, { id: mine.organizationId }, mine.token)).toEqual({ node: { __typename: 'Organization', id: mine.organizationId } });
  for (const id of [mine.userId, mine.organizationId]) {
    expect(await api.gql(query, { id }, other.token)).toEqual({ node: null });
    expect(await api.gql(query, { id })).toEqual({ node: null });
  }
  expect(await api.gql(query, { id: "usr_'; drop table users --" }, mine.token)).toEqual({ node: null });
});
