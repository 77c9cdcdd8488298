import type { Pool } from 'pg';
import type { DeliveryApi, Owner } from './delivery-api.ts';
import { insertDelivery, insertIntegration, insertResponse } from './rows.ts';

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
  const answered = `select 'ans_' || substr(id, 6) || '${question.slice(2)}' from responses where form_id = $1 and answers ? '${question}' order by id`;

  const lists: Record<string, ListFixture> = {
    'Query.apiKeys': { path: [], rows: () => column('select id from api_keys where organization_id = $1 order by id', owner.organizationId), grow: () => makeKey(api, owner) },
    'Query.forms': { path: [], rows: () => column('select id from forms where organization_id = $1 order by id', owner.organizationId), grow: () => api.newForm(owner, []) },
    'Form.responses': { path: [inForm], rows: () => column(`select distinct on (family_id) id from responses where form_id = $1 order by family_id, revision desc`, form.id).then((ids) => ids.toSorted()), grow: submit },
    'Form.deliveries': { path: [inForm], rows: () => column('select id from deliveries where form_id = $1 order by id', form.id), grow: deliver },
    'Question.answers': { path: [`node(id: "${question}")`, '... on Question'], rows: async () => currentOnly(await column(answered, form.id), await lists['Form.responses']!.rows()), grow: submit },
    'Response.revisions': {
      path: [`response(id: "${family}")`],
      rows: () => column('select id from responses where family_id = $1 order by revision', family),
      grow: () => amend(api, owner, family),
    },
  };
  const page = (field: string) => [`${field}(first: 5)`, 'edges', 'node'];
  const nodes: Lists['nodes'] = {
    ApiKey: page('apiKeys'),
    Form: page('forms'),
    Response: [inForm, ...page('responses')],
    Delivery: [inForm, ...page('deliveries')],
    Question: [inForm, 'questions'],
    Choice: [inForm, 'questions', 'choices'],
    Answer: [inForm, ...page('responses'), 'answers'],
    Integration: [inForm, 'integrations'],
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

async function makeKey(api: DeliveryApi, owner: Owner): Promise<void> {
  const mutation = 'mutation { createApiKey(input: { name: "k", scopes: [RESPONSES_READ] }) { errors { message } } }';
  const { createApiKey } = await api.gql(mutation, {}, owner.token);
  if (createApiKey.errors.length > 0) throw new Error(JSON.stringify(createApiKey.errors));
}

async function amend(api: DeliveryApi, owner: Owner, responseId: string): Promise<void> {
  const { rows } = await api.pool.query<{ revision: number }>('select max(revision) as revision from responses where family_id = $1', [responseId]);
  const mutation = 'mutation ($input: AmendResponseInput!) { amendResponse(input: $input) { errors { message } } }';
  const { amendResponse } = await api.gql(mutation, { input: { responseId, expectedRevision: rows[0]!.revision } }, owner.token);
  if (amendResponse.errors.length > 0) throw new Error(JSON.stringify(amendResponse.errors));
}

const columnReader = (pool: Pool) => async (text: string, id: string): Promise<string[]> =>
  (await pool.query<[string]>({ text, values: [id], rowMode: 'array' })).rows.map(([value]) => value);

/** Answers of these responses. */
const currentOnly = (answers: string[], responses: string[]): string[] =>
  answers.filter((id) => responses.includes(`resp_${id.slice(4, 30)}`));
