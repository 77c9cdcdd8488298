import type { Pool } from 'pg';
import { newId, versionId } from '../../src/events/id.ts';
import type { DeliveryApi, Owner } from './delivery-api.ts';
import { insertDelivery, insertIntegration, insertJob, insertReplay, insertResponse } from './rows.ts';

/** A connection with rows in it, as one test sees it. */
export interface ListFixture {
  /** The fields from `Query` to the connection's parent, with their arguments. */
  path: string[];
  /** The ids of its nodes, by the tables and in order. */
  rows(): Promise<string[]>;
  /** Adds one at the end. */
  grow(): Promise<unknown>;
}

export interface Lists {
  owner: Owner;
  /** By `Type.field`. */
  lists: Record<string, ListFixture>;
  /** For each type of node the fields from `Query` to some of its nodes. */
  nodes: Record<string, string[]>;
}

/** One organisation with rows in every list. A new connection or type of node gets its fixture here. */
export async function fillLists(api: DeliveryApi): Promise<Lists> {
  const owner = await api.newOwner();
  const form = await api.newForm(owner, [{ key: 'food', text: 'Food?', kind: 'SINGLE_CHOICE', choices: [{ text: 'Rice' }, { text: 'Bread' }] }]);
  const question = form.questions[0]!.id;
  const own = { ...owner, formId: form.id };
  const integrationId = await insertIntegration(api.pool, own);
  const submit = submitterOf(api, form.id);
  const family = await submit();
  const column = columnReader(api.pool);
  const inForm = `form(id: "${form.id}")`;
  const deliver = async () => insertDelivery(api.pool, { ...own, integrationId, responseId: await insertResponse(api.pool, own) });
  /** Each of an integration of its own: one has one replay at a time. */
  const replay = async () => insertReplay(api.pool, { ...own, integrationId: await insertIntegration(api.pool, own) });
  const answered = `select 'ans_' || substr(id, 6) || '${question.slice(2)}' from responses where form_id = $1 and answers ? '${question}' order by id`;

  await mutate(api, owner, { name: 'addSection', input: { formId: form.id, section: { title: 'About food' }, questionIds: [question] } });
  const partner = await insertMember(api.pool, owner, 'partner');
  const grant = async () => {
    const { id } = await api.newForm(owner, []);
    await api.pool.query('insert into form_grants (membership_id, form_id) values ($1, $2)', [partner, id]);
  };

  const lists: Record<string, ListFixture> = {
    'Organization.members': { path: ['organization'], rows: () => column('select id from memberships where organization_id = $1 order by id', owner.organizationId), grow: () => insertMember(api.pool, owner, 'viewer') },
    'Organization.invitations': { path: ['organization'], rows: () => column('select id from invitations where organization_id = $1 order by id', owner.organizationId), grow: () => mutate(api, owner, { name: 'inviteMember', input: { email: `${newId('usr')}@example.org`, role: 'VIEWER' } }) },
    'Member.forms': { path: [`node(id: "${partner}")`, '... on Member'], rows: () => column('select form_id from form_grants where membership_id = $1 order by form_id', partner), grow: grant },
    'Query.apiKeys': { path: [], rows: () => column('select id from api_keys where organization_id = $1 order by id', owner.organizationId), grow: () => mutate(api, owner, { name: 'createApiKey', input: { name: 'k', scopes: ['RESPONSES_READ'] } }) },
    'Query.forms': { path: [], rows: () => column('select id from forms where organization_id = $1 order by id', owner.organizationId), grow: () => api.newForm(owner, []) },
    'Form.versions': {
      path: [inForm],
      rows: async () => (await column('select v.number::text from form_versions v where form_id = $1 order by v.number', form.id)).map((number) => versionId(form.id, Number(number))),
      grow: () => mutate(api, owner, { name: 'updateForm', input: { id: form.id, title: `Food, ${newId('form')}` } }),
    },
    'Form.responses': { path: [inForm], rows: () => column(`select distinct on (family_id) id from responses where form_id = $1 order by family_id, revision desc`, form.id).then((ids) => ids.toSorted()), grow: submit },
    'Form.deliveries': { path: [inForm], rows: () => column('select id from deliveries where form_id = $1 order by id', form.id), grow: deliver },
    'Form.replays': { path: [inForm], rows: () => column('select id from replays where form_id = $1 order by id', form.id), grow: replay },
    'Question.answers': { path: [`node(id: "${question}")`, '... on Question'], rows: async () => currentOnly(await column(answered, form.id), await lists['Form.responses']!.rows()), grow: submit },
    'Response.revisions': {
      path: [`response(id: "${family}")`],
      rows: () => column('select id from responses where family_id = $1 order by revision', family),
      grow: () => amend(api, owner, family),
    },
    'Response.reviews': {
      path: [`response(id: "${family}")`],
      rows: () => column('select id from reviews where family_id = $1 order by id', family),
      grow: () => review(api, owner, family),
    },
  };
  await insertJob(api.pool, { organizationId: owner.organizationId, integrationId, kind: 'backfill' });
  const page = (field: string) => [`${field}(first: 5)`, 'edges', 'node'];
  const nodes: Lists['nodes'] = {
    ApiKey: page('apiKeys'),
    Form: page('forms'),
    Response: [inForm, ...page('responses')],
    Delivery: [inForm, ...page('deliveries')],
    Question: [inForm, 'questions'],
    Choice: [inForm, 'questions', 'choices'],
    Answer: [inForm, ...page('responses'), 'answers'],
    Review: [`response(id: "${family}")`, ...page('reviews')],
    Integration: [inForm, 'integrations'],
    Job: [inForm, 'integrations', 'jobs'],
    Replay: [inForm, ...page('replays')],
    FormVersion: [inForm, ...page('versions')],
    Section: [inForm, 'sections'],
    Member: ['organization', ...page('members')],
    Invitation: ['organization', ...page('invitations')],
    User: ['me'],
    Organization: ['me', 'organization'],
  };
  return { owner, lists, nodes };
}

function submitterOf(api: DeliveryApi, formId: string): () => Promise<string> {
  const mutation = 'mutation ($input: SubmitResponseInput!) { submitResponse(input: $input) { response { id } errors { message } } }';
  return async () => {
    const { submitResponse } = await api.gql(mutation, { input: { formId, answers: [{ key: 'food', value: 'Rice' }] } });
    return submitResponse.response.id;
  };
}

async function mutate(api: DeliveryApi, { token }: Owner, { name, input }: { name: string; input: object }): Promise<void> {
  const type = `${name.charAt(0).toUpperCase()}${name.slice(1)}Input`;
  const data = await api.gql(`mutation ($input: ${type}!) { ${name}(input: $input) { errors { message } } }`, { input }, token);
  if (data[name].errors.length > 0) throw new Error(JSON.stringify(data[name].errors));
}

/** Somebody who never logs in. */
async function insertMember(pool: Pool, { organizationId }: Owner, role: string): Promise<string> {
  const [userId, memberId] = [newId('usr'), newId('mem')];
  await pool.query(
    `insert into users (id, organization_id, username, email, password_hash, created_at) values ($1, $2, $1, $1 || '@example.org', '', now())`,
    [userId, organizationId],
  );
  await pool.query('insert into memberships (id, organization_id, user_id, role, created_at) values ($1, $2, $3, $4, now())', [memberId, organizationId, userId, role]);
  return memberId;
}

async function amend(api: DeliveryApi, owner: Owner, responseId: string): Promise<void> {
  const { rows } = await api.pool.query<{ revision: number }>('select max(revision) as revision from responses where family_id = $1', [responseId]);
  await mutate(api, owner, { name: 'amendResponse', input: { responseId, expectedRevision: rows[0]!.revision } });
}

async function review(api: DeliveryApi, owner: Owner, familyId: string): Promise<void> {
  const { rows } = await api.pool.query<{ id: string }>('select id from responses where family_id = $1 order by revision desc limit 1', [familyId]);
  await mutate(api, owner, { name: 'setReviewState', input: { responseId: rows[0]!.id, state: 'IN_REVIEW' } });
}

const columnReader = (pool: Pool) => async (text: string, id: string): Promise<string[]> =>
  (await pool.query<[string]>({ text, values: [id], rowMode: 'array' })).rows.map(([value]) => value);

/** Answers of these responses. */
const currentOnly = (answers: string[], responses: string[]): string[] =>
  answers.filter((id) => responses.includes(`resp_${id.slice(4, 30)}`));
