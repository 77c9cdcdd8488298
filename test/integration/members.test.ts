import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { createStandings } from '../../src/accounts/standings.ts';
import { buildSchema } from '../../src/api/schema.ts';
import type { Id } from '../../src/events/id.ts';
import { startDeliveryApi, type DeliveryApi } from '../support/delivery-api.ts';
import { wholePayload } from '../support/payloads.ts';
import { createPeople, type People, type Person } from '../support/people.ts';

let api: DeliveryApi;
let people: People;
let start: Date;
beforeAll(async () => {
  api = await startDeliveryApi();
  people = createPeople(api);
  start = api.clock.now;
});
afterEach(() => {
  api.clock.now = start;
});
afterAll(() => api[Symbol.asyncDispose]());

const days = 86_400_000;
const codesOf = ({ errors }: { errors: { code: string; path?: string[] }[] }) => errors.map(({ code }) => code);
const membersOf = async ({ token }: Person) => {
  const { organization } = await api.gql('{ organization { members(first: 100) { edges { node { id role user { username } } } } } }', {}, token);
  return organization.members.edges.map(({ node }: { node: { role: string; user: { username: string } } }) => `${node.user.username} ${node.role}`);
};
const standingOf = async ({ token }: Person) => (await api.gql('{ me { organization { id } memberships { organization { id } role } } }', {}, token)).me;
const canListForms = async ({ token }: Person) => (await api.post({ query: '{ forms { edges { node { id } } } }' }, { token })).body.errors?.[0].extensions.code ?? 'ok';

test('who registers owns their organisation', async () => {
  const owner = await people.owner();
  expect(await standingOf(owner)).toEqual({ organization: { id: owner.organizationId }, memberships: [{ organization: { id: owner.organizationId }, role: 'OWNER' }] });
});

test('an invited newcomer joins with the role, and makes no organisation', async () => {
  const owner = await people.owner();
  const { token, invitation } = await people.invite(owner, { email: 'New.Comer@example.org', role: 'EDITOR' });
  expect(invitation).toMatchObject({ email: 'new.comer@example.org', role: 'EDITOR', acceptedAt: null });
  const before = await organizations();
  const newcomer = await people.register('newcomer', { email: 'new.comer@example.org', invitation: token });
  expect(await standingOf(newcomer)).toEqual({ organization: { id: owner.organizationId }, memberships: [{ organization: { id: owner.organizationId }, role: 'EDITOR' }] });
  expect(await organizations()).toBe(before);
  expect(await membersOf(owner)).toEqual([`${owner.username} OWNER`, 'newcomer EDITOR']);
});

const organizations = async (): Promise<number> => (await api.pool.query('select count(*)::int as n from organizations')).rows[0].n;

test('somebody who has an account joins another organisation, and works in one at a time', async () => {
  const [owner, guest] = [await people.owner(), await people.owner()];
  const form = await api.newForm(owner);
  const { token } = await people.invite(owner, { email: guest.email, role: 'VIEWER' });
  const accepted = await people.run(guest, 'acceptInvitation', { token }, wholePayload(buildSchema(), 'acceptInvitation'));
  expect(accepted).toMatchObject({ member: { role: 'VIEWER', organization: { id: owner.organizationId } }, errors: [] });
  expect(await formsOf(guest)).toEqual([]);
  const switched = await people.run(guest, 'switchOrganization', { organizationId: owner.organizationId }, 'user { username organization { id } } organization { id }');
  expect(switched).toEqual({ user: { username: guest.username, organization: { id: owner.organizationId } }, organization: { id: owner.organizationId }, errors: [] });
  expect(await formsOf(guest)).toEqual([form.id]);
  expect(await formsOf(await people.login(guest))).toEqual([form.id]);
});

const formsOf = async ({ token }: Person): Promise<string[]> =>
  (await api.gql('{ forms(first: 100) { edges { node { id } } } }', {}, token)).forms.edges.map(({ node }: { node: { id: string } }) => node.id);

test('nobody switches to an organisation they are no member of', async () => {
  const [one, other] = [await people.owner(), await people.owner()];
  expect(codesOf(await people.run(one, 'switchOrganization', { organizationId: other.organizationId }))).toEqual(['NOT_FOUND']);
  expect(codesOf(await people.run(one, 'switchOrganization', { organizationId: '\u0000' }))).toEqual(['NOT_FOUND']);
  expect((await standingOf(one)).organization).toEqual({ id: one.organizationId });
});

test('from another organisation one looks into none of the others', async () => {
  const [owner, guest] = [await people.owner(), await people.owner()];
  await people.join(owner, guest, 'OWNER');
  await people.run(guest, 'switchOrganization', { organizationId: guest.organizationId });
  const { body } = await api.post({ query: '{ me { memberships { organization { id members { edges { node { id } } } } } } }' }, { token: guest.token });
  expect(body.errors).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }]);
});

test('a token that is wrong, used, revoked, expired or for another address is refused in the same words', async () => {
  const owner = await people.owner();
  const guest = await people.owner();
  const invite = async (email = guest.email) => people.invite(owner, { email, role: 'EDITOR' });
  const accept = (token: string) => people.run(guest, 'acceptInvitation', { token });
  const refused: unknown[] = [await accept('no-such-token'), await accept((await invite('somebody@example.org')).token)];

  const revoked = await invite();
  expect((await people.run(owner, 'revokeInvitation', { id: revoked.invitation.id })).errors).toEqual([]);
  refused.push(await accept(revoked.token));

  const replaced = await invite();
  const expired = await invite();
  refused.push(await accept(replaced.token));
  api.clock.now = new Date(start.getTime() + 7 * days);
  const guestLater = await people.login(guest);
  refused.push(await people.run(guestLater, 'acceptInvitation', { token: expired.token }));
  api.clock.now = start;

  const good = await invite();
  expect((await accept(good.token)).errors).toEqual([]);
  await people.run(owner, 'removeMember', { id: await people.memberId(owner, guest) });
  refused.push(await accept(good.token));
  for (const payload of refused) expect(payload).toEqual(refused[0]);
  expect(refused[0]).toMatchObject({ errors: [{ code: 'INVITATION_INVALID', path: ['token'] }] });
});

test('who registers with a token that is not good gets no account', async () => {
  const owner = await people.owner();
  const { token } = await people.invite(owner, { email: 'right@example.org', role: 'EDITOR' });
  const register = (input: object) => people.tryRegister({ username: 'chancer', email: 'wrong@example.org', invitation: token, ...input });
  expect(await register({})).toMatchObject({ token: null, errors: [{ code: 'INVITATION_INVALID', path: ['invitation'] }] });
  expect(await register({ email: 'right@example.org', organization: 'Mine' })).toMatchObject({ errors: [{ code: 'INVALID_INPUT', path: ['organization'] }] });
  expect((await api.pool.query(`select 1 from users where username = 'chancer'`)).rowCount).toBe(0);
});

test('of several who use one invitation at the same time one joins', async () => {
  const [owner, guest] = [await people.owner(), await people.owner()];
  const { token } = await people.invite(owner, { email: guest.email, role: 'EDITOR' });
  const answers = await Promise.all(Array.from({ length: 5 }, () => people.run(guest, 'acceptInvitation', { token }, 'member { id }')));
  expect(answers.filter(({ member }) => member)).toHaveLength(1);
  expect(await membersOf(owner)).toHaveLength(2);
});

test('the token is stored hashed and shown once', async () => {
  const owner = await people.owner();
  const { token, invitation } = await people.invite(owner, { email: 'hashed@example.org', role: 'VIEWER' });
  expect(JSON.stringify((await api.pool.query('select * from invitations')).rows)).not.toContain(token);
  const { organization } = await api.gql('{ organization { invitations { edges { node { id email role expiresAt invitedBy { username } } } } } }', {}, owner.token);
  expect(organization.invitations.edges).toEqual([
    { node: { id: invitation.id, email: 'hashed@example.org', role: 'VIEWER', expiresAt: '2026-11-28T02:15:00.000Z', invitedBy: { username: owner.username } } },
  ]);
});

test('what is wrong with an invitation is said with its path', async () => {
  const [owner, other] = [await people.owner(), await people.owner()];
  const { id: foreign } = await api.newForm(other);
  const invite = (input: object) => people.run(owner, 'inviteMember', { email: 'x@example.org', role: 'PARTNER', ...input }, 'token');
  expect(await invite({ email: 'nobody' })).toMatchObject({ token: null, errors: [{ code: 'INVALID_INPUT', path: ['email'] }] });
  expect(await invite({ formIds: [foreign, "form_'--"] })).toMatchObject({ errors: [{ code: 'NOT_FOUND', path: ['formIds', '0'] }, { code: 'NOT_FOUND', path: ['formIds', '1'] }] });
  expect(await invite({ role: 'EDITOR', formIds: [(await api.newForm(owner)).id] })).toMatchObject({ errors: [{ code: 'INVALID_INPUT', path: ['formIds'] }] });
  expect(await invite({ email: owner.email })).toMatchObject({ errors: [{ code: 'TAKEN', path: ['email'] }] });
  const id = await people.memberId(owner, owner);
  expect(codesOf(await people.run(other, 'changeMember', { id, role: 'VIEWER' }))).toEqual(['NOT_FOUND']);
  expect(codesOf(await people.run(owner, 'changeMember', { id: "mem_'", role: 'VIEWER' }))).toEqual(['NOT_FOUND']);
});

test('the last owner is neither removed nor demoted, and can go when there is another', async () => {
  const [owner, other] = [await people.owner(), await people.owner()];
  const id = await people.memberId(owner, owner);
  expect(codesOf(await people.run(owner, 'removeMember', { id }))).toEqual(['LAST_OWNER']);
  expect(codesOf(await people.run(owner, 'changeMember', { id, role: 'EDITOR' }))).toEqual(['LAST_OWNER']);
  expect(codesOf(await people.run(owner, 'changeMember', { id, role: 'OWNER' }))).toEqual([]);
  await people.join(owner, other, 'OWNER');
  expect(codesOf(await people.run(owner, 'removeMember', { id }))).toEqual([]);
  expect(await membersOf(other)).toEqual([`${other.username} OWNER`]);
  expect(await standingOf(owner)).toEqual({ organization: null, memberships: [] });
});

test.each(['removeMember', 'changeMember'])('of two owners who call %s on each other at the same moment one stays owner', async (name) => {
  for (let round = 0; round < 5; round += 1) {
    const [one, other] = [await people.owner(), await people.owner()];
    await people.join(one, other, 'OWNER');
    const [idOfOne, idOfOther] = [await people.memberId(one, one), await people.memberId(one, other)];
    const role = name === 'changeMember' ? { role: 'EDITOR' } : {};
    await Promise.all([people.post(one, name, { id: idOfOther, ...role }), people.post(other, name, { id: idOfOne, ...role })]);
    const { rows } = await api.pool.query(`select user_id from memberships where organization_id = $1 and role = 'owner'`, [one.organizationId]);
    expect(rows).toHaveLength(1);
  }
});

test('of all owners who leave at the same moment one stays', async () => {
  const owner = await people.owner();
  const others = [await people.owner(), await people.owner(), await people.owner()];
  for (const other of others) await people.join(owner, other, 'OWNER');
  const ids = await Promise.all([owner, ...others].map((one) => people.memberId(owner, one)));
  const answers = await Promise.all([owner, ...others].map((one, index) => people.run(one, 'removeMember', { id: ids[index] })));
  expect(answers.flatMap(codesOf)).toEqual(['LAST_OWNER']);
});

test('a member leaves, and nobody but an owner removes others', async () => {
  const owner = await people.owner();
  const [editor, viewer] = [await people.member(owner, 'EDITOR'), await people.member(owner, 'VIEWER')];
  const ids = [await people.memberId(owner, owner), await people.memberId(owner, viewer)];
  for (const id of ids) expect((await people.post(editor, 'removeMember', { id })).errors).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }]);
  expect(codesOf(await people.run(viewer, 'removeMember', { id: ids[1] }))).toEqual([]);
  expect(await membersOf(owner)).toEqual([`${owner.username} OWNER`, `${editor.username} EDITOR`]);
  expect(await canListForms(viewer)).toBe('FORBIDDEN');
});

test('one leaves an organisation from within another', async () => {
  const [owner, guest] = [await people.owner(), await people.owner()];
  await people.join(owner, guest, 'EDITOR');
  const id = await people.memberId(owner, guest);
  await people.run(guest, 'switchOrganization', { organizationId: guest.organizationId });
  expect(codesOf(await people.run(guest, 'removeMember', { id }))).toEqual([]);
  expect(await membersOf(owner)).toEqual([`${owner.username} OWNER`]);
  expect(await standingOf(guest)).toEqual({ organization: { id: guest.organizationId }, memberships: [{ organization: { id: guest.organizationId }, role: 'OWNER' }] });
});

test('what a removed or demoted member may do ends at once here, and soon in other processes', async () => {
  const owner = await people.owner();
  const [removed, demoted] = [await people.member(owner, 'EDITOR'), await people.member(owner, 'OWNER')];
  const elsewhere = createStandings({ pool: api.pool, now: () => api.clock.now });
  const roleElsewhere = async (person: Person) => {
    const viewer = await elsewhere.ofSession(await sessionOf(person));
    return viewer?.credential.kind === 'session' ? viewer.credential.role : undefined;
  };
  expect([await roleElsewhere(removed), await roleElsewhere(demoted)]).toEqual(['editor', 'owner']);
  await people.run(owner, 'removeMember', { id: await people.memberId(owner, removed) });
  await people.run(owner, 'changeMember', { id: await people.memberId(owner, demoted), role: 'VIEWER' });
  expect(await canListForms(removed)).toBe('FORBIDDEN');
  expect((await people.post(demoted, 'createApiKey', { name: 'k', scopes: ['OPERATE'] })).errors).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }]);
  await expect.poll(async () => [await roleElsewhere(removed), await roleElsewhere(demoted)], { interval: 20, timeout: 10_000 }).toEqual(['none', 'viewer']);
});

const sessionOf = async ({ userId }: Person): Promise<Id<'ses'>> => (await api.pool.query('select id from sessions where user_id = $1 order by id desc limit 1', [userId])).rows[0].id;

test('the keys and open invitations of an owner end with the ownership, unless the keys are kept', async () => {
  const owner = await people.owner();
  const [kept, ended] = [await people.member(owner, 'OWNER'), await people.member(owner, 'OWNER')];
  const keyOf = async (person: Person): Promise<string> => (await people.run(person, 'createApiKey', { name: 'k', scopes: ['OPERATE'] }, 'key')).key;
  const keys = [await keyOf(kept), await keyOf(ended)];
  const { invitation } = await people.invite(ended, { email: 'late@example.org', role: 'OWNER' });
  await people.run(owner, 'removeMember', { id: await people.memberId(owner, kept), keepApiKeys: true });
  await people.run(owner, 'changeMember', { id: await people.memberId(owner, ended), role: 'EDITOR' });
  const statuses = await Promise.all(keys.map(async (token) => (await api.post({ query: '{ forms { edges { node { id } } } }' }, { token })).status));
  expect(statuses).toEqual([200, 401]);
  const { node } = await api.gql(`{ node(id: "${invitation.id}") { ... on Invitation { revokedAt } } }`, {}, owner.token);
  expect(node.revokedAt).not.toBeNull();
});

test('who is a member of nothing any more can still log in and accept an invitation', async () => {
  const [owner, guest] = [await people.owner(), await people.owner()];
  const leaver = await people.member(owner, 'VIEWER');
  await people.run(leaver, 'removeMember', { id: await people.memberId(owner, leaver) });
  const again = await people.login(leaver);
  expect(await standingOf(again)).toEqual({ organization: null, memberships: [] });
  const { token } = await people.invite(guest, { email: leaver.email, role: 'EDITOR' });
  expect((await people.run(again, 'acceptInvitation', { token })).errors).toEqual([]);
  await people.run(again, 'switchOrganization', { organizationId: guest.organizationId });
  expect(await canListForms(again)).toBe('ok');
});
