import { afterAll, beforeAll, expect, test } from 'vitest';
import { createApiClient } from '../../src/bin/demo/api-client.ts';
import { createLog } from '../../src/log.ts';
import { withClient } from '../support/pipeline.ts';
import { startProduct, type TestProduct } from '../support/product.ts';
import { startReceiver, type Receiver } from '../support/receiver.ts';

/** Words that no line may have, each for what is hidden in it. */
const hidden = {
  answer: 'zq-answer-4711', longAnswer: 'zq-long-4711', metadata: 'zq-metadata-4711', clientId: 'zq-client-4711', respondent: 'zq-respondent-4711',
  mobile: '+919812345678', password: 'zq-password-4711', wrongPassword: 'zq-wrong-4711', token: 'zq-token-4711', urlPassword: 'zq-urlpass-4711',
  query: 'zq-query-4711', header: 'zq-header-4711', reply: 'zq-reply-4711', path: 'zq-path-4711', operation: 'zqOperation4711',
};

let product: TestProduct;
let receiver: Receiver;
const lines: string[] = [];
const names = (): Set<string> => new Set(lines.map((line) => String(JSON.parse(line).event)));
const said = async (name: string): Promise<void> => expect.poll(() => [...names()], { timeout: 15_000 }).toContain(name);

beforeAll(async () => {
  const log = createLog('debug', { write: (line) => void lines.push(line) });
  product = await startProduct({ FORMWIRE_RETRY_SCHEDULE: '50ms,50ms', FORMWIRE_BREAKER_FAILURES: '2' }, { log });
  receiver = await startReceiver({ respond: ({ body }) => ({ status: 500, body: `${hidden.reply} ${body.toString()}` }) });
});
afterAll(async () => {
  await receiver[Symbol.asyncDispose]();
  await product[Symbol.asyncDispose]();
});

const submit = `mutation ($input: SubmitResponseInput!) { submitResponse(input: $input) { response { id } errors { message } } }`;
const responseTo = (formId: string, more: Record<string, unknown> = {}) => ({
  formId,
  clientId: hidden.clientId,
  answers: [{ key: 'name', value: hidden.answer, metadata: { note: hidden.metadata } }, { key: 'story', value: `${hidden.longAnswer}\n    at ${hidden.answer} (x:1:1)` }],
  respondent: { mobile: hidden.mobile, name: hidden.respondent, email: `${hidden.respondent}@example.org` },
  metadata: { note: hidden.metadata },
  ...more,
});

async function createForm(): Promise<string> {
  const { form } = await product.api.call<{ form: { id: string } }>('mutation ($input: CreateFormInput!) { createForm(input: $input) { form { id } errors { message } } }', {
    title: 'Form',
    questions: [{ text: 'Name', key: 'name', kind: 'TEXT' }, { text: 'Story', key: 'story', kind: 'LONG_TEXT' }, { text: 'Age', key: 'age', kind: 'INTEGER' }],
  });
  return form.id;
}

const connect = (formId: string, url: string) =>
  product.api.call('mutation ($input: CreateIntegrationInput!) { createIntegration(input: $input) { integration { id } errors { message } } }', {
    formId,
    settings: { webhook: { url, headers: [{ name: 'Authorization', value: `Bearer ${hidden.header}` }] } },
  });
/** Whatever comes of it. */
const tryTo = (work: Promise<unknown>): Promise<unknown> => work.catch(() => undefined);

test('nothing that people, receivers and secrets say is in the log, whatever goes wrong', async () => {
  const { api, stranger, url } = product;
  const formId = await createForm();
  const withCredentials = receiver.url.replace('http://', `http://ada:${hidden.urlPassword}@`);
  await tryTo(connect(formId, `${withCredentials}?key=${hidden.query}`));
  await connect(formId, `${receiver.url}?key=${hidden.query}`);
  await tryTo(connect(formId, `http://127.0.0.1:1/?key=${hidden.query}`));

  // people: wrong answers, log-ins and tokens, and whatever a URL takes
  await stranger.call(submit, responseTo(formId));
  await tryTo(stranger.call(submit, responseTo(formId, { clientId: `${hidden.clientId}\u0000`, answers: [{ key: 'age', value: hidden.answer }] })));
  await tryTo(stranger.call('mutation ($input: RegisterInput!) { register(input: $input) { token errors { message } } }', { username: 'eve', email: 'eve@example.org', mobile: hidden.mobile, password: hidden.password }));
  await tryTo(stranger.call('mutation ($input: LoginInput!) { login(input: $input) { token errors { message } } }', { username: 'eve', password: hidden.wrongPassword }));
  const eve = createApiClient({ url, connections: 1 });
  eve.login(hidden.token);
  await tryTo(eve.call(submit, responseTo(formId)));
  await eve.close();
  await fetch(`${url}/${hidden.path}?key=${hidden.query}`);
  await fetch(`${url}/graphql?key=${hidden.query}`, { method: 'POST', headers: { 'content-type': 'application/json', cookie: hidden.token }, body: `{"query":"query ${hidden.operation} { nothing }"}` });
  await said('delivery.attempted');
  await said('integration.failing');

  // the database: rows that it refuses, and tells of in its errors, and connections that break
  await withClient(product.databaseUrl, async (client) => {
    for (const table of ['responses', 'users', 'forms']) await client.query(`alter table ${table} add constraint refused check (id = '') not valid`);
    await tryTo(stranger.call(submit, responseTo(formId, { clientId: `${hidden.clientId}-2` })));
    await tryTo(stranger.call('mutation ($input: RegisterInput!) { register(input: $input) { token errors { message } } }', { username: 'bob', email: 'bob@example.org', mobile: hidden.mobile, password: hidden.password }));
    await tryTo(api.call('mutation ($input: CreateFormInput!) { createForm(input: $input) { form { id } errors { message } } }', { title: hidden.answer, questions: [{ text: hidden.longAnswer, kind: 'TEXT' }] }));
    for (const table of ['responses', 'users', 'forms']) await client.query(`alter table ${table} drop constraint refused`);
    await client.query(`select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and datname = current_database()`);
  });
  expect(lines.filter((line) => line.includes('"request.failed"'))).toHaveLength(3);
  await said('database.connection_lost');
  await product.nats.stop();
  await tryTo(stranger.call(submit, responseTo(formId, { clientId: `${hidden.clientId}-3` })));
  await said('stream.disconnected');
  await product.nats.start();
  await said('event.republished');

  expect(receiver.requests.some(({ body }) => body.includes(hidden.answer))).toBe(true); // else nothing was hidden
  for (const [what, word] of Object.entries(hidden)) expect(lines.filter((line) => line.includes(word)), what).toEqual([]);
  expect(lines.filter((line) => /whsec_|eyJ|postgresql:\/\/[^ ]*@/.test(line))).toEqual([]);
});

test('a request and what came of it can be found by their ids', async () => {
  const formId = await createForm();
  const reply = await fetch(`${product.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query: submit, variables: { input: { formId, answers: [{ key: 'name', value: 'Ada' }] } } }),
  });
  const requestId = reply.headers.get('x-request-id');
  expect(requestId).toMatch(/^req_[0-9a-z]{26}$/);
  const { data } = (await reply.json()) as { data: { submitResponse: { response: { id: string } } } };
  const ofRequest = () => lines.map((line) => JSON.parse(line)).filter((line) => line.requestId === requestId);
  await expect.poll(() => ofRequest().map(({ event }) => event)).toEqual(['event.committed', 'request.answered']);
  const [committed, answered] = ofRequest();
  expect(committed).toMatchObject({ formId, responseId: data.submitResponse.response.id, eventId: expect.stringMatching(/^evt_/), type: 'response.created' });
  expect(answered).toMatchObject({ method: 'POST', path: '/graphql', status: 200, isSent: true });
});
