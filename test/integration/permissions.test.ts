import { isObjectType, type GraphQLObjectType } from 'graphql';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildSchema } from '../../src/api/schema.ts';
import { newId, type Id } from '../../src/events/id.ts';
import { startDeliveryApi, type DeliveryApi, type Owner } from '../support/delivery-api.ts';
import { insertDelivery, insertIntegration, insertResponse, insertTenant } from '../support/rows.ts';

/**
 * Who gets what of every query, every mutation, and every field that leads from what anyone may read to what only some
 * may. A new one has no line here and fails.
 *
 * ok: answered · -: answered, but without the thing asked for · U: UNAUTHENTICATED · F: FORBIDDEN · N: NOT_FOUND ·
 * I: INVITATION_INVALID
 * Keys by their scope: rw responses:write · rr responses:read · fw forms:write · iw integrations:write · op operate
 */
const table = `
                             stranger other owner rw rr fw iw op
  Query.me                   -        ok    ok    -  -  -  -  -
  Query.form                 ok       ok    ok    ok ok ok ok ok
  Query.forms                U        -     ok    ok ok ok ok ok
  Query.node                 ok       ok    ok    ok ok ok ok ok
  Query.response             -        -     ok    -  ok -  -  -
  Query.delivery             -        -     ok    -  -  -  -  ok
  Query.providers            ok       ok    ok    ok ok ok ok ok
  Query.organization         -        -     ok    ok ok ok ok ok
  Query.apiKeys              U        -     ok    F  F  F  F  F

  node(User)                 -        -     ok    -  -  -  -  -
  node(Organization)         -        -     ok    ok ok ok ok ok
  node(ApiKey)               -        -     ok    -  -  -  -  -
  node(Member)               -        -     ok    -  -  -  -  -
  node(Invitation)           -        -     ok    -  -  -  -  -
  node(Question)             ok       ok    ok    ok ok ok ok ok
  node(Section)              ok       ok    ok    ok ok ok ok ok
  node(Choice)               ok       ok    ok    ok ok ok ok ok
  node(Response)             -        -     ok    -  ok -  -  -
  node(Answer)               -        -     ok    -  ok -  -  -
  node(Integration)          -        -     ok    -  -  -  ok ok
  node(Delivery)             -        -     ok    -  -  -  -  ok
  Form.owner                 -        -     ok    -  -  -  -  -
  Organization.members       -        -     ok    F  F  F  F  F
  Organization.invitations   -        -     ok    F  F  F  F  F
  Form.responses             U        F     ok    F  ok F  F  F
  Form.integrations          U        F     ok    F  F  F  ok ok
  Form.deliveries            U        F     ok    F  F  F  F  ok
  Question.answers           U        F     ok    F  ok F  F  F
  Response.deliveries        U        F     ok    F  F  F  F  F
  Response.pipeline          U        F     ok    F  F  F  F  F
  Response.revisions         U        F     ok    F  F  F  F  F

  Mutation.register          ok       ok    ok    ok ok ok ok ok
  Mutation.login             ok       ok    ok    ok ok ok ok ok
  Mutation.refreshSession    ok       ok    ok    ok ok ok ok ok
  Mutation.logout            U        ok    ok    F  F  F  F  F
  Mutation.changePassword    U        ok    ok    F  F  F  F  F
  Mutation.createApiKey      U        ok    ok    F  F  F  F  F
  Mutation.revokeApiKey      U        N     ok    F  F  F  F  F
  Mutation.inviteMember      U        N     ok    F  F  F  F  F
  Mutation.revokeInvitation  U        N     ok    F  F  F  F  F
  Mutation.acceptInvitation  U        I     I     F  F  F  F  F
  Mutation.switchOrganization U       N     ok    F  F  F  F  F
  Mutation.changeMember      U        N     ok    F  F  F  F  F
  Mutation.removeMember      U        N     ok    F  F  F  F  F
  Mutation.createForm        U        ok    ok    F  F  ok F  F
  Mutation.updateForm        U        N     ok    F  F  ok F  F
  Mutation.deleteForm        U        N     ok    F  F  ok F  F
  Mutation.addQuestion       U        N     ok    F  F  ok F  F
  Mutation.updateQuestion    U        N     ok    F  F  ok F  F
  Mutation.removeQuestion    U        N     ok    F  F  ok F  F
  Mutation.reorderQuestions  U        N     ok    F  F  ok F  F
  Mutation.addSection        U        N     ok    F  F  ok F  F
  Mutation.updateSection     U        N     ok    F  F  ok F  F
  Mutation.removeSection     U        N     ok    F  F  ok F  F
  Mutation.submitResponse    ok       ok    ok    ok F  F  F  F
  Mutation.submitResponses   ok       ok    ok    ok F  F  F  F
  Mutation.amendResponse     U        N     ok    ok F  F  F  F
  Mutation.createIntegration U        N     ok    F  F  F  ok F
  Mutation.updateIntegration U        N     ok    F  F  F  ok F
  Mutation.deleteIntegration U        N     ok    F  F  F  ok F
  Mutation.redeliver         U        N     ok    F  F  F  F  ok
`;

/** What a line is about, made anew for each cell, so that no cell sees what another did. */
interface World {
  formId: string;
  questionId: string;
  choiceId: string;
  sectionId: string;
  responseId: string;
  answerId: string;
  integrationId: string;
  deliveryId: string;
  apiKeyId: string;
  memberId: string;
  invitationId: string;
  invitationToken: string;
  unique: string;
  actor: Actor;
}

interface Actor {
  token?: string;
  username?: string;
  refreshToken?: string | undefined;
}

/** `found`: what the answer holds if the actor gets it. */
type Call = (world: World) => { query: string; input?: object; found?: string };

const nodeCall = (pick: (world: World) => string): Call => (world) => ({ query: `{ node(id: "${pick(world)}") { id } }`, found: pick(world) });
const mutationCall = (name: string, inputOf: (world: World) => object): Call => (world) => ({
  query: `mutation ($input: ${name.charAt(0).toUpperCase()}${name.slice(1)}Input!) { ${name}(input: $input) { errors { code message } } }`,
  input: inputOf(world),
});
const question = { text: 'How many?', kind: 'INTEGER' };
const password = 'correct horse';
const webhook = { settings: { webhook: { url: 'https://example.com/hooks' } } };

const calls: Record<string, Call> = {
  'Query.me': ({ actor }) => ({ query: '{ me { username } }', found: actor.username ?? 'anybody' }),
  'Query.form': ({ formId }) => ({ query: `{ form(id: "${formId}") { id questions { key } } }`, found: formId }),
  'Query.forms': ({ formId }) => ({ query: '{ forms(last: 100) { edges { node { id } } } }', found: formId }),
  'Query.node': nodeCall(({ formId }) => formId),
  'Query.response': ({ responseId }) => ({ query: `{ response(id: "${responseId}") { id answers { text } } }`, found: responseId }),
  'Query.delivery': ({ deliveryId }) => ({ query: `{ delivery(id: "${deliveryId}") { id integration { id } attempts { number } } }`, found: deliveryId }),
  'Query.providers': () => ({ query: '{ providers { name } }', found: 'webhook' }),
  'Query.apiKeys': ({ apiKeyId }) => ({ query: '{ apiKeys(last: 100) { edges { node { id } } } }', found: apiKeyId }),
  'node(User)': nodeCall(() => owner.userId),
  'node(Organization)': nodeCall(() => owner.organizationId),
  'node(ApiKey)': nodeCall(({ apiKeyId }) => apiKeyId),
  'node(Member)': nodeCall(({ memberId }) => memberId),
  'node(Invitation)': nodeCall(({ invitationId }) => invitationId),
  'Organization.members': ({ memberId }) => ({ query: `{ node(id: "${owner.organizationId}") { ... on Organization { members(last: 100) { edges { node { id } } } } } }`, found: memberId }),
  'Organization.invitations': ({ invitationId }) => ({ query: `{ node(id: "${owner.organizationId}") { ... on Organization { invitations(last: 100) { edges { node { id } } } } } }`, found: invitationId }),
  'Query.organization': () => ({ query: '{ organization { id } }', found: owner.organizationId }),
  'node(Question)': nodeCall(({ questionId }) => questionId),
  'node(Section)': nodeCall(({ sectionId }) => sectionId),
  'node(Choice)': nodeCall(({ choiceId }) => choiceId),
  'node(Response)': nodeCall(({ responseId }) => responseId),
  'node(Answer)': nodeCall(({ answerId }) => answerId),
  'node(Integration)': nodeCall(({ integrationId }) => integrationId),
  'node(Delivery)': nodeCall(({ deliveryId }) => deliveryId),
  'Form.owner': ({ formId }) => ({ query: `{ form(id: "${formId}") { owner { id } } }`, found: owner.userId }),
  'Form.responses': ({ formId, responseId }) => ({ query: `{ form(id: "${formId}") { responses { edges { node { id } } } } }`, found: responseId }),
  'Form.integrations': ({ formId, integrationId }) => ({ query: `{ form(id: "${formId}") { integrations { id } } }`, found: integrationId }),
  'Form.deliveries': ({ formId, deliveryId }) => ({ query: `{ form(id: "${formId}") { deliveries { edges { node { id } } } } }`, found: deliveryId }),
  'Question.answers': ({ questionId, answerId }) => ({
    query: `{ node(id: "${questionId}") { ... on Question { answers { edges { node { id } } } } } }`,
    found: answerId,
  }),
  // whoever submits gets the response back, and with it the edges that leave it
  'Response.deliveries': ({ formId, unique }) => ({ query: submitFor('deliveries { id }'), input: { formId, clientId: unique, answers: [] }, found: '"deliveries"' }),
  'Response.pipeline': ({ formId, unique }) => ({ query: submitFor('pipeline { status }'), input: { formId, clientId: unique, answers: [] }, found: '"pipeline"' }),
  'Response.revisions': ({ formId }) => ({ query: submitFor('revisions { edges { node { revision } } }'), input: { formId, answers: [] } }),

  'Mutation.register': mutationCall('register', ({ unique }) => ({ username: unique, email: `${unique}@example.org`, password })),
  'Mutation.login': mutationCall('login', () => ({ username: 'bystander', password })),
  'Mutation.refreshSession': mutationCall('refreshSession', ({ actor }) => ({ refreshToken: actor.refreshToken })),
  'Mutation.logout': mutationCall('logout', () => ({})),
  'Mutation.changePassword': mutationCall('changePassword', () => ({ currentPassword: password, newPassword: password })),
  'Mutation.createApiKey': mutationCall('createApiKey', () => ({ name: 'made', scopes: ['OPERATE'] })),
  'Mutation.revokeApiKey': mutationCall('revokeApiKey', ({ apiKeyId }) => ({ id: apiKeyId })),
  'Mutation.inviteMember': mutationCall('inviteMember', ({ unique, formId }) => ({ email: `${unique}@example.org`, role: 'PARTNER', formIds: [formId] })),
  'Mutation.revokeInvitation': mutationCall('revokeInvitation', ({ invitationId }) => ({ id: invitationId })),
  'Mutation.acceptInvitation': mutationCall('acceptInvitation', ({ invitationToken }) => ({ token: invitationToken })),
  'Mutation.switchOrganization': mutationCall('switchOrganization', () => ({ organizationId: owner.organizationId })),
  'Mutation.changeMember': mutationCall('changeMember', ({ memberId }) => ({ id: memberId, role: 'EDITOR' })),
  'Mutation.removeMember': mutationCall('removeMember', ({ memberId }) => ({ id: memberId })),
  'Mutation.createForm': mutationCall('createForm', () => ({ title: 'Another', questions: [question] })),
  'Mutation.updateForm': mutationCall('updateForm', ({ formId }) => ({ id: formId, title: 'Renamed' })),
  'Mutation.deleteForm': mutationCall('deleteForm', ({ formId }) => ({ id: formId })),
  'Mutation.addQuestion': mutationCall('addQuestion', ({ formId }) => ({ formId, question })),
  'Mutation.updateQuestion': mutationCall('updateQuestion', ({ questionId }) => ({ id: questionId, text: 'Which one?' })),
  'Mutation.removeQuestion': mutationCall('removeQuestion', ({ questionId }) => ({ id: questionId })),
  'Mutation.reorderQuestions': mutationCall('reorderQuestions', ({ formId, questionId }) => ({ formId, questionIds: [questionId] })),
  'Mutation.addSection': mutationCall('addSection', ({ formId }) => ({ formId, section: { title: 'Another' } })),
  'Mutation.updateSection': mutationCall('updateSection', ({ sectionId }) => ({ id: sectionId, title: 'Renamed' })),
  'Mutation.removeSection': mutationCall('removeSection', ({ sectionId }) => ({ id: sectionId })),
  'Mutation.submitResponse': mutationCall('submitResponse', ({ formId }) => ({ formId, answers: [] })),
  'Mutation.submitResponses': mutationCall('submitResponses', ({ formId }) => ({ responses: [{ formId, answers: [] }] })),
  'Mutation.amendResponse': mutationCall('amendResponse', ({ responseId }) => ({ responseId, expectedRevision: 1 })),
  'Mutation.createIntegration': mutationCall('createIntegration', ({ formId }) => ({ formId, ...webhook })),
  'Mutation.updateIntegration': mutationCall('updateIntegration', ({ integrationId }) => ({ id: integrationId, paused: true })),
  'Mutation.deleteIntegration': mutationCall('deleteIntegration', ({ integrationId }) => ({ id: integrationId })),
  'Mutation.redeliver': mutationCall('redeliver', ({ deliveryId }) => ({ deliveryIds: [deliveryId] })),
};

const submitFor = (field: string): string =>
  `mutation ($input: SubmitResponseInput!) { submitResponse(input: $input) { response { ${field} } errors { code } } }`;

/** Lines that end or use up what somebody came with: everybody logs in anew for each cell. */
const consuming = new Set(['Mutation.refreshSession', 'Mutation.logout', 'Mutation.changePassword']);

let api: DeliveryApi;
let owner: Owner;
let count = 0;
const actors: Record<string, () => Promise<Actor>> = {};
const present = new Map<string, Actor>();

beforeAll(async () => {
  api = await startDeliveryApi();
  owner = (await api.register('owner')) as Owner;
  await api.register('bystander');
  await api.register('other');
  actors['stranger'] = async () => ({ refreshToken: (await login('bystander')).refreshToken });
  actors['other'] = () => login('other');
  actors['owner'] = () => login('owner');
  for (const [column, scope] of Object.entries({ rw: 'RESPONSES_WRITE', rr: 'RESPONSES_READ', fw: 'FORMS_WRITE', iw: 'INTEGRATIONS_WRITE', op: 'OPERATE' })) {
    const { key } = await createKey([scope]);
    actors[column] = async () => ({ token: key, refreshToken: (await login('bystander')).refreshToken });
  }
});
afterAll(() => api[Symbol.asyncDispose]());

async function login(username: string): Promise<Actor> {
  const query = 'mutation ($input: LoginInput!) { login(input: $input) { token refreshToken errors { message } } }';
  const { login: payload } = await api.gql(query, { input: { username, password } });
  return { token: payload.token, refreshToken: payload.refreshToken, username };
}

async function beginAnew(): Promise<void> {
  present.clear();
  owner = { ...owner, token: (await login('owner')).token ?? '' };
}

async function createKey(scopes: string[]): Promise<{ key: string; id: string }> {
  const query = 'mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { key apiKey { id } errors { message } } }';
  const { createApiKey } = await api.gql(query, { input: { name: 'test', scopes } }, owner.token);
  return { key: createApiKey.key, id: createApiKey.apiKey.id };
}

async function newWorld(actor: Actor): Promise<World> {
  const createForm = `mutation ($input: CreateFormInput!) { createForm(input: $input) { form { id questions { id choices { id } } sections { id } } errors { message } } }`;
  const input = { title: 'Lunch', questions: [{ text: 'Which?', kind: 'SINGLE_CHOICE', choices: [{ text: 'Soup' }] }], sections: [{ title: 'Drinks', questions: [] }] };
  const { form } = (await api.gql(createForm, { input }, owner.token)).createForm;
  const formId: Id<'form'> = form.id;
  const [{ id: questionId, choices }] = form.questions;
  const responseId = await insertResponse(api.pool, { formId, answers: { [questionId]: { value: choices[0].id } } });
  const integrationId = await insertIntegration(api.pool, { ...owner, formId });
  const deliveryId = await insertDelivery(api.pool, { organizationId: owner.organizationId, formId, responseId, integrationId, status: 'dead' });
  const memberId = newId('mem');
  await api.pool.query(
    `insert into memberships (id, organization_id, user_id, role, created_at) values ($1, $2, $3, 'viewer', now())`,
    [memberId, owner.organizationId, (await insertTenant(api.pool)).userId],
  );
  const invite = 'mutation ($input: InviteMemberInput!) { inviteMember(input: $input) { token invitation { id } errors { message } } }';
  const { inviteMember } = await api.gql(invite, { input: { email: 'someone@example.com', role: 'EDITOR' } }, owner.token);
  return {
    memberId,
    invitationId: inviteMember.invitation.id,
    invitationToken: inviteMember.token,
    formId, questionId, responseId, integrationId, deliveryId, actor,
    choiceId: choices[0].id,
    sectionId: form.sections[0].id,
    answerId: `ans_${responseId.slice(5)}${questionId.slice(2)}`,
    apiKeyId,
    unique: `unique${(count += 1)}`,
  };
}

let apiKeyId: string;
beforeAll(async () => {
  apiKeyId = (await createKey(['OPERATE'])).id;
});

const short: Record<string, string> = { UNAUTHENTICATED: 'U', FORBIDDEN: 'F', NOT_FOUND: 'N', INVITATION_INVALID: 'I' };

async function outcome(line: string, column: string): Promise<string> {
  const call = calls[line];
  if (consuming.has(line)) await beginAnew();
  const actor = present.get(column) ?? (await actors[column]?.());
  if (!call || !actor) throw new Error(`There is no call for ${line}, or nobody for ${column}.`);
  present.set(column, actor);
  const { query, input, found } = call(await newWorld(actor));
  const { body } = await api.post({ query, ...(input && { variables: { input } }) }, actor.token ? { token: actor.token } : {});
  const [error] = [...(body.errors ?? []).map((one: { extensions: { code: string } }) => one.extensions.code), ...faultsOf(body.data)];
  if (error) return short[error] ?? error;
  return found === undefined || JSON.stringify(body.data).includes(found) ? 'ok' : '-';
}

function faultsOf(data: Record<string, { errors?: { code: string }[] } | null> | null): string[] {
  return Object.values(data ?? {}).flatMap((payload) => (payload?.errors ?? []).map(({ code }) => code));
}

const [header = '', ...lines] = table.split('\n').filter((line) => line.trim() !== '');
const columns = header.trim().split(/\s+/);
const cells = lines.map((line) => {
  const [name = '', ...expected] = line.trim().split(/\s+/);
  return { name, expected };
});

test.each(cells)('$name', async ({ name, expected }) => {
  const actual: (string | undefined)[] = [];
  for (const column of columns) {
    actual.push(await outcome(name, column));
  }
  if (consuming.has(name)) await beginAnew();
  expect(Object.fromEntries(columns.map((column, index) => [column, actual[index]]))).toEqual(
    Object.fromEntries(columns.map((column, index) => [column, expected[index]])),
  );
});

test('every query, mutation and kind of node has a line', () => {
  const schema = buildSchema();
  const named = new Set(cells.map(({ name }) => name));
  const fields = [schema.getQueryType(), schema.getMutationType()].flatMap((type) => Object.keys(type?.getFields() ?? {}).map((field) => `${type?.name}.${field}`));
  const nodes = Object.values(schema.getTypeMap()).filter((type) => isNode(type) && type.name !== 'Form').map((type) => `node(${type.name})`);
  expect([...fields, ...nodes].filter((name) => !named.has(name))).toEqual([]);
});

test('every field of a node that leads to other nodes is checked here, or shows nothing that its node does not', () => {
  // what may be read with the thing itself: its own parts, and what it belongs to
  const parts = new Set([
    'User.organization', 'User.memberships', 'ApiKey.createdBy', 'Member.user', 'Member.organization', 'Member.forms', 'Invitation.invitedBy', 'Invitation.forms', 'Integration.partner', 'Form.questions', 'Form.sections', 'Question.choices', 'Question.section', 'Section.questions', 'Response.form', 'Response.answers', 'Response.amendedBy', 'Answer.question',
    'Answer.response', 'Answer.choices', 'Integration.form', 'Delivery.integration', 'Delivery.response',
  ]);
  const schema = buildSchema();
  const named = new Set(cells.map(({ name }) => name));
  const edges = Object.values(schema.getTypeMap()).filter(isNode).flatMap((type) =>
    Object.values(type.getFields()).filter((field) => leadsToNodes(String(field.type), schema)).map((field) => `${type.name}.${field.name}`),
  );
  expect(edges.filter((edge) => !named.has(edge) && !parts.has(edge))).toEqual([]);
});

type Schema = ReturnType<typeof buildSchema>;

const isNode = (type: unknown): type is GraphQLObjectType =>
  isObjectType(type) && type.getInterfaces().some((one) => one.name === 'Node');

function leadsToNodes(printed: string, schema: Schema): boolean {
  const name = printed.replace(/[[\]!]/g, '');
  return name.endsWith('Connection') || isNode(schema.getType(name));
}
