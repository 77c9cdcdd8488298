import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Id } from '../../src/events/id.ts';
import { startDeliveryApi, type DeliveryApi } from '../support/delivery-api.ts';
import { createPeople, type People, type Person } from '../support/people.ts';
import { insertAttempt, insertDelivery, insertResponse } from '../support/rows.ts';

let api: DeliveryApi;
let people: People;
beforeAll(async () => {
  api = await startDeliveryApi();
  people = createPeople(api);
});
afterAll(() => api[Symbol.asyncDispose]());

// oxlint-disable-next-line typescript/no-explicit-any -- tests know what they asked for
type Answered = any;
const hook = { settings: { webhook: { url: 'https://example.com/hooks', headers: [{ name: 'X-Key', value: 'sesame' }] } } };
const connect = async (person: Person, input: object): Promise<Answered> => people.run(person, 'createIntegration', { ...hook, ...input }, 'integration { id status } secret');
const codesAt = ({ errors }: Answered) => errors.map((fault: Answered) => `${fault.code} ${fault.path.join('.')}`);
const ask = async (person: Person, query: string): Promise<Answered> => api.gql(query, {}, person.token);
const edges = (connection: Answered): string[] => connection.edges.map(({ node }: Answered) => node.id);

/** An organisation with two forms, of which a partner is granted the first; it has a webhook there, and so has the owner. */
async function newWorld() {
  const owner = await people.owner();
  const questions = [{ key: 'name', text: 'Name?', kind: 'TEXT' }];
  const [granted, other] = [await api.newForm(owner, questions), await api.newForm(owner, questions)];
  const partner = await people.member(owner, 'PARTNER', [granted.id]);
  const { integration: own, secret } = await connect(partner, { formId: granted.id });
  const { integration: theirs } = await connect(owner, { formId: granted.id });
  const memberId = await people.memberId(owner, partner);
  return { owner, partner, granted: granted.id, other: other.id, own: own.id, theirs: theirs.id, secret, memberId };
}

async function deliver(world: Awaited<ReturnType<typeof newWorld>>) {
  const { owner, granted } = world;
  const responseId = await insertResponse(api.pool, { formId: granted });
  const delivery = async (integrationId: Id<'intg'>) => {
    const id = await insertDelivery(api.pool, { organizationId: owner.organizationId, formId: granted, responseId, integrationId, status: 'dead' });
    await insertAttempt(api.pool, { deliveryId: id, number: 1, responseBody: 'gone' });
    return id;
  };
  return { responseId, own: await delivery(world.own), theirs: await delivery(world.theirs) };
}

test('a partner lists only what is granted to it, and connects a webhook there', async () => {
  const { partner, granted, own, secret } = await newWorld();
  expect(secret).toMatch(/^whsec_/);
  const { forms } = await ask(partner, '{ forms { edges { node { id integrations { id settings partner { username } } } } } }');
  expect(forms.edges).toEqual([{ node: { id: granted, integrations: [{ id: own, settings: expect.objectContaining({ headers: [{ name: 'X-Key', value: '…' }] }), partner: { username: partner.username } }] } }]);
});

test('a partner names a form that is granted to it', async () => {
  const { partner, other } = await newWorld();
  expect(codesAt(await connect(partner, {}))).toEqual(['INVALID_INPUT formId']);
  expect(codesAt(await connect(partner, { formId: other }))).toEqual(['NOT_FOUND formId']);
});

test('a partner changes and deletes its own webhooks and nobody else’s', async () => {
  const { partner, own, theirs } = await newWorld();
  const statusOf = async (id: string) => (await api.pool.query('select status, deleted_at from integrations where id = $1', [id])).rows[0];
  expect(codesAt(await people.run(partner, 'updateIntegration', { id: theirs, paused: true }))).toEqual(['NOT_FOUND id']);
  expect(codesAt(await people.run(partner, 'deleteIntegration', { id: theirs }))).toEqual(['NOT_FOUND id']);
  expect(await statusOf(theirs)).toEqual({ status: 'active', deleted_at: null });
  expect(codesAt(await people.run(partner, 'updateIntegration', { id: own, paused: true }))).toEqual([]);
  expect(codesAt(await people.run(partner, 'deleteIntegration', { id: own }))).toEqual([]);
  expect((await statusOf(own)).deleted_at).not.toBeNull();
});

test('a partner has a bound of its own to its webhooks on a form', async () => {
  const { partner, owner, granted } = await newWorld();
  for (let count = 1; count < 10; count += 1) expect((await connect(partner, { formId: granted })).errors).toEqual([]);
  expect(codesAt(await connect(partner, { formId: granted }))).toEqual(['TOO_MANY formId']);
  expect((await connect(owner, { formId: granted })).errors).toEqual([]);
});

test('a partner sees and redelivers the deliveries of its own webhooks, without the responses', async () => {
  const world = await newWorld();
  const { partner, granted } = world;
  const { responseId, own, theirs } = await deliver(world);
  const { form } = await ask(partner, `{ form(id: "${granted}") { deliveries { edges { node { id response { id } integration { id } attempts { responseBody } } } } } }`);
  expect(form.deliveries.edges).toEqual([{ node: { id: own, response: null, integration: { id: world.own }, attempts: [{ responseBody: 'gone' }] } }]);
  expect(await ask(partner, `{ own: delivery(id: "${own}") { id } theirs: delivery(id: "${theirs}") { id } response(id: "${responseId}") { id } }`)).toEqual({ own: { id: own }, theirs: null, response: null });
  const { count, errors } = await people.run(partner, 'redeliver', { deliveryIds: [own, theirs] }, 'count');
  expect([count, codesAt({ errors })]).toEqual([1, ['NOT_FOUND deliveryIds.1']]);
  expect((await people.run(partner, 'redeliver', { filter: { formId: granted, status: 'DEAD' } }, 'count')).count).toBe(0);
  expect((await api.pool.query('select id, status from deliveries where form_id = $1 order by id', [granted])).rows).toEqual([{ id: own, status: 'pending' }, { id: theirs, status: 'dead' }]);
});

test('of a response that it submits itself a partner sees only its own deliveries', async () => {
  const { owner, partner, granted, other, own, theirs } = await newWorld();
  const again = async (formId: Id<'form'>) => {
    const submitted = await people.run(partner, 'submitResponse', { formId, clientId: 'again', answers: [] }, 'response { id }');
    for (const integrationId of formId === granted ? [own, theirs] : []) {
      await insertDelivery(api.pool, { organizationId: owner.organizationId, formId, responseId: submitted.response.id, integrationId });
    }
    return people.post(partner, 'submitResponse', { formId, clientId: 'again', answers: [] }, 'response { deliveries { integration { id } } pipeline { total delivered } }');
  };
  expect((await again(granted)).data.submitResponse.response).toEqual({ deliveries: [{ integration: { id: own } }], pipeline: { total: 1, delivered: 1 } });
  expect((await again(other)).errors).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }]);
});

test('where a grant ends, the partner’s webhooks on that form end with their deliveries, and no others', async () => {
  const world = await newWorld();
  const { owner, partner, granted, other, own, theirs, memberId } = world;
  const pending = await insertDelivery(api.pool, {
    organizationId: owner.organizationId, formId: granted, responseId: await insertResponse(api.pool, { formId: granted }), integrationId: own, status: 'pending',
  });
  const version = async () => (await api.pool.query('select integrations_version as v from organizations where id = $1', [owner.organizationId])).rows[0].v;
  const before = await version();
  expect(codesAt(await people.run(owner, 'changeMember', { id: memberId, formIds: [other] }))).toEqual([]);
  const { rows } = await api.pool.query('select id, deleted_at is null as lives, status_reason from integrations where id = any($1) order by id', [[own, theirs]]);
  expect(rows).toEqual([{ id: own, lives: false, status_reason: 'The partner whose it was does not have the form any more.' }, { id: theirs, lives: true, status_reason: null }]);
  expect(await version()).toBe(before + 1);
  expect(api.announced.at(-1)).toBe(owner.organizationId);
  expect((await api.pool.query('select status from deliveries where id = $1', [pending])).rows).toEqual([{ status: 'canceled' }]);
  expect(edges((await ask(partner, '{ forms { edges { node { id } } } }')).forms)).toEqual([other]);
  const { body } = await api.post({ query: `{ form(id: "${granted}") { deliveries { edges { node { id } } } } }` }, { token: partner.token });
  expect(body.errors).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }]);
});

test('a partner who is removed takes its webhooks with it, and one who becomes an editor leaves them to the organisation', async () => {
  const [removed, promoted] = [await newWorld(), await newWorld()];
  await people.run(removed.owner, 'removeMember', { id: removed.memberId });
  await people.run(promoted.owner, 'changeMember', { id: promoted.memberId, role: 'EDITOR' });
  const rowOf = async (id: string) => (await api.pool.query('select deleted_at is null as lives, partner_id as "partnerId" from integrations where id = $1', [id])).rows[0];
  expect(await rowOf(removed.own)).toMatchObject({ lives: false });
  expect(await rowOf(promoted.own)).toEqual({ lives: true, partnerId: null });
  expect(edges((await ask(promoted.partner, '{ forms { edges { node { id } } } }')).forms)).toEqual([promoted.granted, promoted.other]);
});

test('a webhook that is made while the grant ends does not outlive it', async () => {
  for (let round = 0; round < 5; round += 1) {
    const { owner, partner, granted, memberId } = await newWorld();
    await Promise.all([connect(partner, { formId: granted }), people.run(owner, 'changeMember', { id: memberId, formIds: [] })]);
    const { rows } = await api.pool.query('select 1 from integrations where partner_id = $1 and deleted_at is null', [partner.userId]);
    expect(rows).toEqual([]);
  }
});

test('one’s grants are listed to owners and to oneself', async () => {
  const { owner, partner, granted, memberId } = await newWorld();
  const query = `{ node(id: "${memberId}") { ... on Member { role forms { edges { node { id } } } } } }`;
  for (const person of [owner, partner]) expect(await ask(person, query)).toEqual({ node: { role: 'PARTNER', forms: { edges: [{ node: { id: granted } }] } } });
  expect((await ask(await people.member(owner, 'PARTNER'), query)).node).toBeNull();
});

test('nobody sees the secrets of an integration again, and who may not write integrations no token in its URL', async () => {
  const { owner, granted } = await newWorld();
  const [editor, viewer] = [await people.member(owner, 'EDITOR'), await people.member(owner, 'VIEWER')];
  const settings = { webhook: { url: 'https://example.com/hooks?token=t', headers: [{ name: 'X-Key', value: 'sesame' }] } };
  const { integration } = await connect(owner, { formId: granted, settings });
  const shownTo = async (person: Person) => JSON.stringify((await ask(person, `{ node(id: "${integration.id}") { ... on Integration { settings } } }`)).node.settings);
  for (const person of [owner, editor]) {
    expect(await shownTo(person)).toContain('token=t');
    expect(await shownTo(person)).not.toContain('sesame');
  }
  const shown = await shownTo(viewer);
  expect(shown).toContain('https://example.com/hooks…');
  for (const secret of ['sesame', 'token=']) expect(shown).not.toContain(secret);
});

test('a partner reads the versions of what is granted to it, and takes no copies', async () => {
  const { partner, granted, other } = await newWorld();
  const versions = (formId: string) => ask(partner, `{ form(id: "${formId}") { versions { edges { node { number } } } changes(from: 1, to: 1) { kind } } }`);
  expect(await versions(granted)).toEqual({ form: { versions: { edges: [{ node: { number: 1 } }] }, changes: [] } });
  await expect(versions(other)).rejects.toThrow('Only the organisation of a form, and partners to whom it is granted');
  expect(await ask(partner, `{ node(id: "ver_${other.slice(5)}0000000001") { id } }`)).toEqual({ node: null });
  await expect(people.run(partner, 'duplicateForm', { id: granted })).rejects.toThrow('it takes the role owner or editor');
});
