import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { eventIdOf, newId, type Id } from '../../src/events/id.ts';
import { runFormwire, type CommandResult } from '../support/command.ts';
import { startProduct, type TestProduct } from '../support/product.ts';
import { startReceiver, type Receiver } from '../support/receiver.ts';

let product: TestProduct;
let receiver: Receiver;
let formId: Id<'form'>;
let integrationId: Id<'intg'>;
let responseId: Id<'resp'>;

beforeAll(async () => {
  product = await startProduct();
  receiver = await startReceiver();
  const call = (mutation: string, input: object) => product.api.call<Record<string, { id: string }>>(mutation, input as Record<string, unknown>);
  const { form } = await call('mutation ($input: CreateFormInput!) { createForm(input: $input) { form { id } errors { message } } }', { title: 'Lunch', questions: [{ key: 'many', text: 'How many?', kind: 'INTEGER' }] });
  formId = form?.id as Id<'form'>;
  const { integration } = await call('mutation ($input: CreateIntegrationInput!) { createIntegration(input: $input) { integration { id } errors { message } } }', { formId, settings: { webhook: { url: receiver.url } } });
  integrationId = integration?.id as Id<'intg'>;
  const { response } = await call('mutation ($input: SubmitResponseInput!) { submitResponse(input: $input) { response { id } errors { message } } }', { formId, answers: [{ key: 'many', value: 1 }] });
  responseId = response?.id as Id<'resp'>;
  await receiver.waitFor(1);
  await vi.waitUntil(async () => (await product.pipeline.pool.query('select 1 from outbox')).rowCount === 0, { timeout: 10_000 });
});
afterAll(async () => {
  await receiver.close();
  await product[Symbol.asyncDispose]();
});

const run = (...args: string[]): Promise<CommandResult> =>
  runFormwire(['replay', ...args], { DATABASE_URL: product.databaseUrl, NATS_URL: product.nats.url, FORMWIRE_SECRETS_KEY: Buffer.alloc(32).toString('base64') });
const stretch = ['--form', '', '--since', '1h', '--everything'];
const withForm = (): string[] => stretch.with(1, formId);

test('an operator sees what a replay would send, and sends it', { timeout: 60_000 }, async () => {
  expect((await run('list')).stdout).toContain('There is no replay.');
  expect((await run('preview', ...withForm(), '--json')).json).toMatchObject({ events: 1, endpoints: [{ integrationId, count: 1, reachesPeople: false }] });
  expect((await run('preview', ...withForm())).stdout).toMatch(new RegExp(`${integrationId}\\s+1\\s+2`));
  const { json: [replay], stderr } = await run('start', ...withForm(), '--json');
  expect(replay).toMatchObject({ formId, total: 1, actions: [{ action: 'started', by: 'operator', userId: null }] });
  expect(stderr).toContain('operator.replay');
  const again = await receiver.waitFor(2);
  expect(again.map(({ id, headers }) => [id, headers['webhook-replay']])).toEqual([[eventIdOf(responseId), undefined], [eventIdOf(responseId), replay.id]]);
  await expect.poll(async () => (await run('list', '--json')).json[0].status, { timeout: 20_000 }).toBe('done');
});

test('and watches it until it has ended, whether all of it got through or not', { timeout: 60_000 }, async () => {
  const watched = await run('start', ...withForm(), '--watch');
  expect(watched).toMatchObject({ code: 0, stdout: expect.stringMatching(/delivered\s+█+\s+1 \/ 1\n.*\n.*\n?rpl_\w+\s.* done /) });
  const [id] = /rpl_\w+/.exec(watched.stdout) ?? [];
  expect(await run('watch', String(id), '--json')).toMatchObject({ code: 0, json: [{ id, status: 'done', made: 1 }] });
  receiver.respond = () => 400;
  const { code, json } = await run('start', ...withForm(), '--watch', '--json');
  expect({ code, json }).toMatchObject({ code: 3, json: [{ status: 'done', dead: 1 }] });
  receiver.respond = () => 200;
  const unknown = newId('rpl');
  expect(await run('watch', unknown)).toMatchObject({ code: 1, stderr: `formwire: There is no ${unknown}.\n` });
});

test('and pauses, resumes and cancels it', { timeout: 60_000 }, async () => {
  await product.api.call('mutation ($input: UpdateIntegrationInput!) { updateIntegration(input: $input) { integration { id } errors { message } } }', { id: integrationId, paused: true });
  const { json: [{ id }] } = await run('start', ...withForm(), '--json');
  expect((await run('pause', id, '--json')).json[0].status).toBe('paused');
  expect((await run('resume', id, '--json')).json[0].status).toBe('running');
  expect((await run('cancel', id)).stdout).toMatch(new RegExp(`${id}\\s+${formId}\\s+canceled`));
  expect(await run('cancel', id)).toMatchObject({ code: 1, stderr: expect.stringContaining('it is canceled') });
});

test('what cannot be asked for is said with the option that it is about', { timeout: 60_000 }, async () => {
  const unknown = newId('form');
  expect(await run('preview', ...stretch.with(1, unknown))).toMatchObject({ code: 1, stderr: `formwire: There is no ${unknown}.\n` });
  expect(await run('preview', '--form', formId, '--after', 'nothing')).toMatchObject({ code: 1, stderr: 'formwire: --after: This is no cursor of responses or of a subscription.\n' });
  expect(await run('preview', ...withForm(), '--until', '2h')).toMatchObject({ code: 1, stderr: 'formwire: --until: The time ends before it begins.\n' });
});

test('messages to people are sent again where that is said', { timeout: 60_000 }, async () => {
  const { json: [replay] } = await run('start', ...withForm(), '--send-sms', '--json');
  expect(replay).toMatchObject({ formId, sendSms: true });
});

test('a wrong command line says what is wrong', { timeout: 60_000 }, async () => {
  for (const [args, message] of [[['preview'], '--form'], [['again'], 'preview, start, list'], [['pause', 'x'], 'rpl_'], [['watch'], 'rpl_'], [['list', 'more'], 'There is no more here'], [['preview', '--form', formId], '--since'], [['start', ...withForm(), '--rate', '900'], '1 to 500']] as const) {
    expect([args, await run(...args)]).toMatchObject([args, { code: 2, stderr: expect.stringContaining(message) }]);
  }
});
