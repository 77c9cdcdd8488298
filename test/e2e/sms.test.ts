import { expect, test } from 'vitest';
import type { ApiClient } from '../../src/bin/demo/api-client.ts';
import { freePort } from '../support/free-port.ts';
import { waitForTally } from '../support/pipeline.ts';
import { startProduct } from '../support/product.ts';
import { startTwilio, type TwilioSimulator } from '../support/twilio/twilio.ts';

const createForm = async (api: ApiClient): Promise<string> => {
  const questions = [{ key: 'total', text: 'How much?', kind: 'DECIMAL' }, { key: 'phone', text: 'Your number?', kind: 'TEXT' }];
  const { form } = await api.call<{ form: { id: string } }>('mutation ($input: CreateFormInput!) { createForm(input: $input) { form { id } errors { message } } }', { title: 'Donations', questions });
  return form.id;
};

const settingsFor = (twilio: TwilioSimulator, changes: object = {}) => ({
  accountSid: twilio.account.sid, authToken: twilio.account.authToken, from: '+15005550006', recipientQuestion: 'phone', defaultCountry: 'IN',
  template: '{{ form.title }}: {{ total }} received, thank you.', ...changes,
});

const connect = (api: ApiClient, formId: string, settings: object) =>
  api.call<{ integration: { id: string; events: string[]; settings: Record<string, unknown> } }>(
    'mutation ($input: CreateIntegrationInput!) { createIntegration(input: $input) { integration { id events settings } errors { message path } } }', { formId, settings: { sms: settings } });

const submit = async (api: ApiClient, formId: string, phone: string): Promise<string> => {
  const answers = [{ key: 'total', value: 250.5 }, { key: 'phone', value: phone }];
  const { response } = await api.call<{ response: { id: string } }>('mutation ($input: SubmitResponseInput!) { submitResponse(input: $input) { response { id } errors { message } } }', { formId, answers });
  return response.id;
};

const deliveriesOf = (api: ApiClient, id: string) =>
  api.call<{ deliveries: { status: string; reason: string | null; attempts: { outcome: string; error: string | null }[] }[] }>(`query { response(id: "${id}") { deliveries { status reason attempts { outcome error } } } }`);

test('who answers a form gets a receipt, once, also where Twilio’s answer is lost', async () => {
  await using twilio = await startTwilio();
  await using product = await startProduct({ FORMWIRE_OUTSIDE_URLS: `twilio=${twilio.url}` });
  const formId = await createForm(product.api);
  const { integration } = await connect(product.api, formId, settingsFor(twilio));
  expect(integration).toMatchObject({ events: ['RESPONSE_CREATED', 'RESPONSE_CLEARED'], settings: { authToken: '…', unknownOutcome: 'atMostOnce' } });

  twilio.faults.add({ when: ({ operation }) => operation === 'messages.create', outcome: { kind: 'drop', applied: true } });
  const responseId = await submit(product.stranger, formId, '098100 00017');
  await waitForTally(product.pipeline.pool, { outbox: 0, delivered: 1, attempts: 2 });
  expect(twilio.messages).toMatchObject([{ to: '+919810000017', body: 'Donations: 250.5 received, thank you.' }]);
  expect(await deliveriesOf(product.api, responseId)).toMatchObject({
    deliveries: [{ status: 'DELIVERED', attempts: [{ outcome: 'RETRY', error: expect.stringContaining('Nobody knows yet') }, { outcome: 'DELIVERED' }] }],
  });
});

test('what cannot be sent says why, and costs others nothing', async () => {
  await using twilio = await startTwilio();
  await using product = await startProduct({ FORMWIRE_OUTSIDE_URLS: `twilio=${twilio.url}` });
  const formId = await createForm(product.api);
  await expect(connect(product.api, formId, settingsFor(twilio, { template: '{{ totl }}' }))).rejects.toThrow('There is no "totl"');
  await connect(product.api, formId, settingsFor(twilio));
  const wrong = await submit(product.stranger, formId, 'none of your business');
  await submit(product.stranger, formId, '+919810000018');
  await waitForTally(product.pipeline.pool, { outbox: 0, delivered: 1, dead: 1 });
  expect(await deliveriesOf(product.api, wrong)).toMatchObject({ deliveries: [{ status: 'DEAD', reason: 'The answer to "phone" is no number that can be written to.' }] });
});

test('a flagged response gets its receipt when it is amended so that the flag is cleared, and none when it is amended again', async () => {
  await using twilio = await startTwilio();
  await using product = await startProduct({ FORMWIRE_OUTSIDE_URLS: `twilio=${twilio.url}` });
  const { api, pipeline, stranger } = product;
  const formId = await createForm(api);
  const rules = { rules: [{ name: 'modest', expression: 'total < 200.0', message: 'That is much.' }] };
  await api.call('mutation ($input: CreateIntegrationInput!) { createIntegration(input: $input) { errors { message } } }', { formId, settings: { rules } });
  await connect(api, formId, settingsFor(twilio));
  const responseId = await submit(stranger, formId, '+919810000017');
  await waitForTally(pipeline.pool, { outbox: 0, canceled: 1, delivered: 0 });
  expect(await deliveriesOf(api, responseId)).toMatchObject({ deliveries: [{ status: 'CANCELED', reason: expect.stringContaining('flagged') }] });

  const amend = (id: string, expectedRevision: number, total: number) =>
    api.call<{ response: { id: string } }>('mutation ($input: AmendResponseInput!) { amendResponse(input: $input) { response { id } errors { message } } }', { responseId: id, expectedRevision, answers: [{ key: 'total', value: total }] });
  const { response } = await amend(responseId, 1, 20);
  await waitForTally(pipeline.pool, { outbox: 0, canceled: 1, delivered: 1 });
  const flagged = await amend(response.id, 2, 2_000);
  await amend(flagged.response.id, 3, 30);
  await waitForTally(pipeline.pool, { outbox: 0, canceled: 2, delivered: 1 });
  expect(twilio.messages.map(({ body }) => body)).toEqual(['Donations: 20 received, thank you.']);
});

test('simulated receipts need no account', async () => {
  await using product = await startProduct();
  const formId = await createForm(product.api);
  await connect(product.api, formId, { simulated: true, recipientQuestion: 'phone', template: '{{ total }}' });
  await submit(product.stranger, formId, '+919810000017');
  await waitForTally(product.pipeline.pool, { outbox: 0, delivered: 1 });
});

test('what becomes of a message is told by Twilio’s callbacks, which also settle what was unknown', async () => {
  await using twilio = await startTwilio({ callbacks: { order: 'reversed', times: 2 } });
  const port = await freePort(); // what Twilio is to call must be known before the server starts
  await using product = await startProduct({
    PORT: String(port), FORMWIRE_PUBLIC_URL: `http://127.0.0.1:${port}`, FORMWIRE_OUTSIDE_URLS: `twilio=${twilio.url}`, FORMWIRE_RETRY_SCHEDULE: '1h,1h',
  });
  const formId = await createForm(product.api);
  await connect(product.api, formId, settingsFor(twilio));
  twilio.account.fates.set('+919810000018', { status: 'undelivered', errorCode: 30003 });
  twilio.faults.add({ when: ({ operation }) => operation === 'messages.create', outcome: { kind: 'drop', applied: true } });
  const lost = await submit(product.stranger, formId, '+919810000017');
  await waitForTally(product.pipeline.pool, { outbox: 0, pending: 1, attempts: 1 });
  const answered = await submit(product.stranger, formId, '+919810000018');
  await waitForTally(product.pipeline.pool, { outbox: 0, pending: 1, delivered: 1 });

  await twilio.settle();
  expect(twilio.callbacks.map((callback) => callback.answered)).toEqual(twilio.callbacks.map(() => 204));
  await waitForTally(product.pipeline.pool, { pending: 0, delivered: 2 }); // an hour before its retry was due
  expect(twilio.messages).toHaveLength(2);
  const tracking = async (id: string) =>
    (await product.api.call<{ deliveries: { tracking: object }[] }>(`query { response(id: "${id}") { deliveries { tracking { reference status isFinal detail } } } }`)).deliveries[0]?.tracking;
  expect(await tracking(lost)).toEqual({ reference: twilio.messages[0]?.sid, status: 'delivered', isFinal: true, detail: null });
  expect(await tracking(answered)).toMatchObject({ status: 'undelivered', isFinal: true, detail: expect.stringContaining('out of reach') });
});

test('a receipt can be looked at before it is set up', async () => {
  await using product = await startProduct();
  const formId = await createForm(product.api);
  const responseId = await submit(product.stranger, formId, '098100 00017');
  const settings = { sms: { simulated: true, recipientQuestion: 'phone', defaultCountry: 'IN', template: '{{ total }} ₹ received' } };
  const preview = 'mutation ($input: PreviewIntegrationInput!) { previewIntegration(input: $input) { preview errors { message } } }';
  expect(await product.api.call(preview, { formId, responseId, settings })).toMatchObject({
    preview: { recipient: '+919810000017', text: '250.5 ₹ received', encoding: 'UCS-2', characters: 16, segments: 1, problem: null },
  });
  expect(await product.api.call(preview, { formId, settings: { sms: { ...settings.sms, template: 'Thank you' } } })).toMatchObject({ preview: { text: 'Thank you', segments: 1 } });
  await waitForTally(product.pipeline.pool, { outbox: 0, delivered: 0 });
});
