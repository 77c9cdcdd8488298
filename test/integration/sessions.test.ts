import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { loginLimits } from '../../src/accounts/login-limits.ts';
import { createStandings } from '../../src/accounts/standings.ts';
import { newId, type Id } from '../../src/events/id.ts';
import { startTestApi, type TestApi } from '../support/api.ts';

let api: TestApi;
let start: Date;
beforeAll(async () => {
  api = await startTestApi({ trustedProxies: 1 });
  start = api.clock.now;
});
afterEach(() => {
  api.clock.now = start;
});
afterAll(() => api[Symbol.asyncDispose]());

const days = 86_400_000;
const password = 'correct horse';
const later = (ms: number) => void (api.clock.now = new Date(start.getTime() + ms));

const authPayload = '{ token refreshToken user { username } errors { code message path } }';
const call = async (name: string, input: Record<string, unknown>, options: { token?: string; selection?: string; from?: string } = {}) => {
  const { token, selection = authPayload, from } = options;
  const type = `${name[0]?.toUpperCase()}${name.slice(1)}Input`;
  const query = `mutation ($input: ${type}!) { ${name}(input: $input) ${selection} }`;
  const { body } = await api.post({ query, variables: { input } }, { ...(token && { token }), ...(from && { headers: { 'x-forwarded-for': from } }) });
  return body.data?.[name] ?? body;
};
let people = 0;
const login = (username: string, more: { password?: string; from?: string } = {}) =>
  call('login', { username, password: more.password ?? password }, { from: more.from ?? `192.0.2.${people}` });
const newPerson = async () => {
  const username = `person${(people += 1)}`;
  await api.register(username);
  return { username, ...(await login(username)) };
};
const refresh = (refreshToken: string) => call('refreshSession', { refreshToken });
const statusOf = async (token: string) => (await api.post({ query: '{ me { username } }' }, { token })).status;

test('a refresh token gets the next pair, also when the hour of the token is over', async () => {
  const { username, refreshToken } = await newPerson();
  later(29 * days);
  const next = await refresh(refreshToken);
  expect(next).toMatchObject({ user: { username }, errors: [] });
  expect(next.refreshToken).not.toBe(refreshToken);
  expect(await statusOf(next.token)).toBe(200);
  later(58 * days);
  expect((await refresh(next.refreshToken)).errors).toEqual([]);
});

test('a refresh token that was not used for 30 days is over, and with it the session', async () => {
  const { refreshToken } = await newPerson();
  later(30 * days);
  expect(await refresh(refreshToken)).toMatchObject({ token: null, user: null, errors: [{ code: 'INVALID_CREDENTIALS', path: ['refreshToken'] }] });
});

test('a refresh token that comes a second time ends the session for whoever holds it', async () => {
  const { username, refreshToken } = await newPerson();
  const other = await login(username);
  const next = await refresh(refreshToken);
  const newest = await refresh(next.refreshToken);
  expect(await statusOf(newest.token)).toBe(200);
  expect((await refresh(refreshToken)).errors).toMatchObject([{ code: 'INVALID_CREDENTIALS' }]);
  expect((await refresh(newest.refreshToken)).errors).toMatchObject([{ code: 'INVALID_CREDENTIALS' }]);
  expect(await statusOf(newest.token)).toBe(401);
  expect(await statusOf(other.token)).toBe(200); // a log-in of its own
});

test('of several calls with one refresh token at the same time no two get the next', async () => {
  const { refreshToken } = await newPerson();
  const answers = await Promise.all([1, 2, 3, 4].map(() => refresh(refreshToken)));
  // none, where the session was ended for the second before the first had its answer
  expect(answers.filter(({ errors }) => errors.length === 0).length).toBeLessThan(2);
});

test('nothing that is stored of a session lets anybody in', async () => {
  const { token, refreshToken } = await newPerson();
  const { rows } = await api.pool.query('select s.*, t.* from sessions s join refresh_tokens t on t.session_id = s.id');
  const stored = JSON.stringify(rows);
  expect(stored).not.toContain(refreshToken);
  expect(stored).not.toContain(token);
  expect((await refresh(rows[0].hash)).errors).toMatchObject([{ code: 'INVALID_CREDENTIALS' }]);
});

test('logging out ends the session; with its refresh token also once the hour is over; everywhere ends all', async () => {
  const selection = '{ ended errors { code } }';
  const first = await newPerson();
  expect(await call('logout', {}, { token: first.token, selection })).toEqual({ ended: 1, errors: [] });
  expect(await statusOf(first.token)).toBe(401);
  expect((await refresh(first.refreshToken)).errors).toHaveLength(1);

  const second = await login(first.username);
  later(2 * 3_600_000);
  expect(await call('logout', { refreshToken: second.refreshToken }, { selection })).toEqual({ ended: 1, errors: [] });
  expect((await refresh(second.refreshToken)).errors).toHaveLength(1);
  expect(await call('logout', { refreshToken: second.refreshToken }, { selection })).toEqual({ ended: 0, errors: [] });

  const [third, fourth] = [await login(first.username), await login(first.username)];
  expect(await call('logout', { everywhere: true }, { token: third.token, selection })).toMatchObject({ ended: 3 }); // registering opened one too
  expect([await statusOf(third.token), await statusOf(fourth.token)]).toEqual([401, 401]);
  expect((await call('logout', {}, { selection })).errors).toMatchObject([{ extensions: { code: 'UNAUTHENTICATED' } }]);
});

test('an ended session is soon refused by other processes', async () => {
  const { token, username } = await newPerson();
  const elsewhere = createStandings({ pool: api.pool, now: () => api.clock.now });
  const { rows } = await api.pool.query('select s.id from sessions s join users u on u.id = s.user_id where u.username = $1 order by s.id desc limit 1', [username]);
  const sessionId: Id<'ses'> = rows[0].id;
  expect(await elsewhere.ofSession(sessionId)).toMatchObject({ credential: { kind: 'session', id: sessionId } });
  await call('logout', {}, { token, selection: '{ ended }' });
  await expect.poll(() => elsewhere.ofSession(sessionId), { interval: 20, timeout: 20_000 }).toBeUndefined();
  expect(await elsewhere.ofSession(newId('ses'))).toBeUndefined();
});

test('changing the password ends all other sessions, and only the new one logs in', async () => {
  const { username, token, refreshToken } = await newPerson();
  const other = await login(username);
  const selection = '{ user { username } errors { code path } }';
  const change = (input: Record<string, string>) => call('changePassword', input, { token, selection });

  expect(await change({ currentPassword: 'wrong', newPassword: 'battery staple' })).toEqual({ user: null, errors: [{ code: 'INVALID_CREDENTIALS', path: ['currentPassword'] }] });
  expect(await change({ currentPassword: password, newPassword: 'short' })).toEqual({ user: null, errors: [{ code: 'INVALID_INPUT', path: ['newPassword'] }] });
  expect(await statusOf(other.token)).toBe(200);
  expect(await change({ currentPassword: password, newPassword: 'battery staple' })).toEqual({ user: { username }, errors: [] });

  expect([await statusOf(token), await statusOf(other.token)]).toEqual([200, 401]);
  expect((await refresh(other.refreshToken)).errors).toHaveLength(1);
  expect((await refresh(refreshToken)).errors).toEqual([]);
  expect((await login(username)).errors).toMatchObject([{ code: 'INVALID_CREDENTIALS' }]);
  expect((await login(username, { password: 'battery staple' })).errors).toEqual([]);
});

test('a password is guessed at ten times in 15 minutes, and a name that nobody has gets the same answers', async () => {
  const { username } = await newPerson();
  const guesses = async (name: string, network: number) => {
    const errors = [];
    for (let index = 0; index <= loginLimits.ofName; index += 1) {
      errors.push((await login(name, { password: 'a guess', from: `198.51.${network}.${index}` })).errors[0]);
    }
    return errors;
  };
  const known = await guesses(username, 1);
  expect(known.map(({ code }) => code)).toEqual([...Array.from({ length: 10 }, () => 'INVALID_CREDENTIALS'), 'TOO_MANY']);
  expect(known.at(-1).message).toBe('Too many attempts; try again in 900 s.');
  expect(await guesses('nobody.at.all', 2)).toEqual(known);

  later(14 * 60_000);
  expect((await login(username, { from: '198.51.3.1' })).errors).toMatchObject([{ code: 'TOO_MANY', message: 'Too many attempts; try again in 60 s.' }]);
  later(15 * 60_000);
  expect((await login(username, { from: '198.51.3.1' })).errors).toEqual([]);
});

test('attempts at the same time are counted all the same', async () => {
  const { username } = await newPerson();
  const answers = await Promise.all(Array.from({ length: 15 }, (_, index) => login(username, { password: 'a guess', from: `198.51.4.${index}` })));
  expect(answers.filter(({ errors }) => errors[0].code === 'INVALID_CREDENTIALS')).toHaveLength(10);
});

test('an address is counted over all names, an IPv6 one with its network, and whoever logs in rightly is not', async () => {
  const { username } = await newPerson();
  for (let index = 0; index < 12; index += 1) expect((await login(username, { from: '2001:db8::1' })).errors).toEqual([]);

  await api.pool.query('update login_attempts set count = 0');
  const guess = (index: number) => login(`guess${index}`, { password: 'a guess', from: `2001:db8:0:1::${index.toString(16)}` });
  const answers = [];
  for (let index = 0; index < 110; index += 10) answers.push(...(await Promise.all(Array.from({ length: 10 }, (_, of) => guess(index + of)))));
  expect(answers.filter(({ errors }) => errors[0].code === 'TOO_MANY')).toHaveLength(10);
  expect((await login(username, { from: '2001:db8:0:2::1' })).errors).toEqual([]);
});
