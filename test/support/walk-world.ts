import type { Flag } from '../../src/events/flag.ts';
import { noteTrackings } from '../../src/deliveries/note-trackings.ts';
import type { Id } from '../../src/events/id.ts';
import { newId } from '../../src/events/id.ts';
import type { Scope } from '../../src/graphql/viewer.ts';
import { startDeliveryApi, type DeliveryApi } from './delivery-api.ts';
import { createPeople, type People, type Person } from './people.ts';
import { insertAttempt, insertDelivery, insertIntegration, insertJob, insertOutboxRow, insertResponse, insertTenant } from './rows.ts';

/** Who asks. `granted` and `ungranted` are partners, with and without the form in question; `former` was an editor. */
export const people = ['stranger', 'other', 'former', 'owner', 'editor', 'viewer', 'granted', 'ungranted'] as const;
/** API keys by their one scope. */
export const keys = { rw: 'responses:write', rr: 'responses:read', fw: 'forms:write', iw: 'integrations:write', op: 'operate' } as const satisfies Record<string, Scope>;
export type Actor = (typeof people)[number] | keyof typeof keys;
export const actors: readonly Actor[] = [...people, ...(Object.keys(keys) as (keyof typeof keys)[])];

/** One of every kind of thing in an organisation. What is `own` is the granted partner's, the rest the organisation's. */
export interface Things {
  organizationId: Id<'org'>;
  userId: Id<'usr'>;
  formId: Id<'form'>;
  questionId: Id<'q'>;
  removedQuestionId: Id<'q'>;
  otherQuestionId: Id<'q'>;
  sectionId: Id<'sec'>;
  choiceId: Id<'ch'>;
  responseId: Id<'resp'>;
  amendedResponseId: Id<'resp'>;
  erasedResponseId: Id<'resp'>;
  /** What the response was made of: sent again, it answers the response. */
  submission: { formId: Id<'form'>; clientId: string; answers: object[] };
  reviewId: Id<'rvw'>;
  answerId: string;
  integrationId: Id<'intg'>;
  ownIntegrationId: Id<'intg'>;
  /** Of a provider that can do everything. */
  fakeIntegrationId: Id<'intg'>;
  jobId: Id<'job'>;
  deliveryId: Id<'dlv'>;
  ownDeliveryId: Id<'dlv'>;
  apiKeyId: Id<'key'>;
  memberId: Id<'mem'>;
  invitationId: string;
  invitationToken: string;
  /** The name of somebody who has an account and nothing to do here. */
  bystander: string;
  /** A word that nothing else has. */
  unique: string;
}

/** What an actor comes with. */
export interface Credentials {
  token?: string;
  refreshToken?: string;
}

/** Two organisations with everything in them, and everybody who could ask for it. */
export interface WalkWorld extends AsyncDisposable {
  api: DeliveryApi;
  organizationId: Id<'org'>;
  /** In the organisation that everything is about. */
  newThings(): Promise<Things>;
  credentialsOf(actor: Actor): Credentials;
  /** With another session; who is nobody gets a refresh token of somebody who has nothing to do here. */
  logInAgain(actor: Actor): Promise<void>;
}

const password = 'correct horse';
const loginMutation = 'mutation ($input: LoginInput!) { login(input: $input) { token refreshToken errors { message } } }';

export async function startWalkWorld(): Promise<WalkWorld> {
  const api = await startDeliveryApi();
  const crowd = createPeople(api);
  const [owner, other] = [await crowd.owner(), await crowd.owner()];
  const bystander = await crowd.owner();
  const [editor, viewer, granted, former] = [
    await crowd.member(owner, 'EDITOR'), await crowd.member(owner, 'VIEWER'), await crowd.member(owner, 'PARTNER'), await crowd.member(owner, 'EDITOR'),
  ];
  const newThings = thingMaker({ api, crowd, bystander: bystander.username });
  const elsewhere = await newThings({ owner });
  const ungranted = await crowd.member(owner, 'PARTNER', [elsewhere.formId]);
  await newThings({ owner: other });
  await crowd.run(owner, 'removeMember', { id: await crowd.memberId(owner, former) });

  const persons: Partial<Record<Actor, Person>> = { other, former, owner, editor, viewer, granted, ungranted };
  const credentials: Partial<Record<Actor, Credentials>> = {};
  const logIn = async ({ username }: Person): Promise<Credentials> => {
    const { login } = await api.gql(loginMutation, { input: { username, password } });
    return { token: login.token, refreshToken: login.refreshToken };
  };
  const spare = async (): Promise<Credentials> => ({ refreshToken: (await logIn(bystander)).refreshToken ?? '' });
  const logInAgain = async (actor: Actor): Promise<void> => {
    const person = persons[actor];
    credentials[actor] = person ? await logIn(person) : { ...credentials[actor], ...(await spare()) };
    if (person) person.token = credentials[actor].token ?? '';
  };
  for (const actor of actors) {
    const scope = Object.entries(keys).find(([name]) => name === actor)?.[1];
    if (scope) credentials[actor] = { token: (await newKey(crowd, { owner, scope })).key };
    await logInAgain(actor);
  }
  return {
    api,
    organizationId: owner.organizationId,
    newThings: () => newThings({ owner, partner: granted }),
    credentialsOf: (actor) => credentials[actor] ?? {},
    logInAgain,
    [Symbol.asyncDispose]: () => api[Symbol.asyncDispose](),
  };
}

const newKey = async (crowd: People, { owner, scope }: { owner: Person; scope: Scope }): Promise<{ key: string }> =>
  crowd.run(owner, 'createApiKey', { name: 'walk', scopes: [scope.replace(':', '_').toUpperCase()] }, 'key');

function thingMaker({ api, crowd, bystander }: { api: DeliveryApi; crowd: People; bystander: string }) {
  const { pool } = api;
  let count = 0;

  const newForm = async (owner: Person) => {
    const choice = { kind: 'SINGLE_CHOICE', choices: [{ text: 'Soup', translations: french }], translations: french };
    const sections = [{ title: 'Food', questions: [{ key: 'which', text: 'Which?', ...choice }] }];
    const questions = [{ key: 'before', text: 'Which before?', ...choice }, { key: 'name', text: 'Name?', kind: 'TEXT' }];
    const selection = 'form { id questions { id key choices { id } } sections { id } }';
    const { form } = await crowd.run(owner, 'createForm', { title: 'Lunch', questions, sections }, selection);
    const [question, removed, other] = ['which', 'before', 'name'].map((key) => form.questions.find((one: { key: string }) => one.key === key));
    return {
      formId: form.id, questionId: question.id, removedQuestionId: removed.id, otherQuestionId: other.id,
      choiceId: question.choices[0].id,
      sectionId: form.sections[0].id,
    };
  };
  const submit = async (submission: Things['submission']): Promise<Id<'resp'>> =>
    (await crowd.run({ token: '' }, 'submitResponse', submission, 'response { id }')).response.id;
  const insertPartner = async (organizationId: Id<'org'>, formId: Id<'form'>): Promise<Id<'mem'>> => {
    const id = newId('mem');
    const { userId } = await insertTenant(pool);
    await pool.query(`insert into memberships (id, organization_id, user_id, role, created_at) values ($1, $2, $3, 'partner', now())`, [id, organizationId, userId]);
    await pool.query('insert into form_grants (membership_id, form_id) values ($1, $2)', [id, formId]);
    return id;
  };
  const insertFake = async (of: { organizationId: Id<'org'>; userId: Id<'usr'>; formId: Id<'form'> }): Promise<Id<'intg'>> => {
    const id = await insertIntegration(pool, of);
    await pool.query(`update integrations set provider = 'fake', settings = '{}', secrets = '[]' where id = $1`, [id]);
    return id;
  };
  /** Answers the first of them. */
  const insertBackfills = async (integrationIds: readonly Id<'intg'>[], { organizationId, responseId }: { organizationId: Id<'org'>; responseId: Id<'resp'> }): Promise<Id<'job'>> => {
    const ids: Id<'job'>[] = [];
    for (const integrationId of integrationIds) ids.push(await insertJob(pool, { organizationId, integrationId, kind: 'backfill' }));
    const result = { differing: 1, surplus: 0, differences: [{ responseId, difference: 'Is not there.' }], surplusFound: [] };
    await pool.query('update jobs set result = $2 where id = any($1)', [ids, result]);
    return ids[0] ?? newId('job');
  };
  const insertKey = async (organizationId: Id<'org'>, userId: Id<'usr'>): Promise<Id<'key'>> => {
    const id = newId('key');
    await pool.query(
      `insert into api_keys (id, organization_id, created_by_id, name, prefix, hash, scopes, created_at) values ($1, $2, $3, 'walk', 'fwk_', $1, '["operate"]', now())`,
      [id, organizationId, userId],
    );
    return id;
  };
  const connect = async (things: { owner: Person; formId: Id<'form'>; responseId: Id<'resp'> }, partner?: Person) => {
    const { owner: { organizationId, userId }, formId, responseId } = things;
    const integrationId = await insertIntegration(pool, { organizationId, userId, formId });
    await pool.query(`update integrations set partner_id = $2, settings = $3 where id = $1`, [integrationId, partner?.userId ?? null, JSON.stringify(secretSettings)]);
    const eventId = newId('evt');
    const deliveryId = await insertDelivery(pool, { organizationId, formId, responseId, integrationId, eventId, status: 'dead', errorClass: 'TIMEOUT', finishedAt: new Date() });
    await pool.query(`update deliveries set redelivered_at = now(), redelivered_by = 'member', redelivered_by_id = $2 where id = $1`, [deliveryId, userId]);
    await insertAttempt(pool, { deliveryId, number: 1 });
    await noteTrackings(pool, { integrationId, trackings: [{ eventId, reference: 'SM1', status: 'sent', rank: 1, isFinal: false }] });
    return { integrationId, deliveryId };
  };

  return async ({ owner, partner }: { owner: Person; partner?: Person }): Promise<Things> => {
    const unique = `thing${(count += 1)}`;
    const { organizationId, userId } = owner;
    const form = await newForm(owner);
    const { formId, questionId, choiceId, removedQuestionId } = form;
    const submission = { formId, clientId: unique, answers: [{ questionId, value: choiceId }, { questionId: removedQuestionId, value: 'Soup' }] };
    const responseId = await submit(submission);
    await pool.query('update responses set flags = $2 where id = $1', [responseId, JSON.stringify([flag])]);
    await crowd.run(owner, 'removeQuestion', { id: removedQuestionId });
    if (partner) {
      await pool.query('insert into form_grants (membership_id, form_id) select id, $2 from memberships where user_id = $1', [partner.userId, formId]);
    }
    const [theirs, own] = [await connect({ owner, formId, responseId }), await connect({ owner, formId, responseId }, partner)];
    // always the same address: an invitation takes the place of the one before, and so never are there too many
    const { token, invitation } = await crowd.invite(owner, { email: 'someone@example.com', role: 'PARTNER', formIds: [formId] });
    const amendedResponseId = await insertResponse(pool, { formId });
    await pool.query('update responses set amended_by_id = $2 where id = $1', [amendedResponseId, userId]);
    await insertOutboxRow(pool, { organizationId, formId, responseId: amendedResponseId, type: 'response.amended' });
    const erasedResponseId = await insertResponse(pool, { formId });
    await pool.query('update responses set erased_at = now(), erased_by_id = $2 where id = $1', [erasedResponseId, userId]);
    // what its event was due to is nowhere
    const missedId = await insertResponse(pool, { formId });
    await pool.query('update responses set integrations_version = 0 where id = $1', [missedId]);
    const reviewId = newId('rvw');
    await pool.query(
      `insert into reviews (id, family_id, revision, state, reviewed_by_id, created_at) values ($1, $2, 1, 'rejected', $3, now())`,
      [reviewId, responseId, userId],
    );
    return {
      ...form, ...theirs, amendedResponseId, erasedResponseId, reviewId, organizationId, userId, submission, responseId, unique, bystander,
      ownIntegrationId: own.integrationId,
      fakeIntegrationId: await insertFake({ organizationId, userId, formId }),
      jobId: await insertBackfills([theirs.integrationId, own.integrationId], { organizationId, responseId }),
      ownDeliveryId: own.deliveryId,
      answerId: `ans_${responseId.slice(5)}${questionId.slice(2)}`,
      apiKeyId: await insertKey(organizationId, userId),
      memberId: await insertPartner(organizationId, formId),
      invitationId: invitation.id,
      invitationToken: token,
    };
  };
}

const flag: Flag = { rule: 'edible', message: 'Not edible.', keys: ['which'], integrationId: newId('intg') };
const french = [{ locale: 'fr', text: 'Potage' }];
const secretSettings = { url: 'https://example.com/hooks?token=sesame', headers: [{ name: 'X-Key', value: 'sesame' }] };
