import { describe, expect, test } from 'vitest';
import { householdResponses } from '../../src/bin/demo/household.ts';
import type { ApiClient } from '../../src/bin/demo/api-client.ts';
import { waitForTally } from '../support/pipeline.ts';
import { startProduct } from '../support/product.ts';
import { connectWebhook, createHousehold } from '../support/product-calls.ts';
import { startReceiver, verifySignature } from '../support/receiver.ts';

const update = (api: ApiClient, input: Record<string, unknown>) =>
  api.call<{ integration: { status: string } }>(
    'mutation ($input: UpdateIntegrationInput!) { updateIntegration(input: $input) { integration { status } errors { message } } }',
    input,
  );

const submit = async (api: ApiClient, input: Record<string, unknown>): Promise<string> => {
  const { response } = await api.call<{ response: { id: string } }>(
    'mutation ($input: SubmitResponseInput!) { submitResponse(input: $input) { response { id } errors { message } } }',
    input,
  );
  return response.id;
};

const submitMany = (api: ApiClient, responses: readonly Record<string, unknown>[]) =>
  api.call<{ results: { response: { id: string } | null; errors: { code: string; path: string[] }[] }[] }>(
    'mutation ($input: SubmitResponsesInput!) { submitResponses(input: $input) { results { response { id } errors { code path } } errors { message } } }',
    { responses },
  );

const firstResponse = (formId: string, count = 1): Record<string, unknown>[] => householdResponses(formId).slice(0, count);

interface ResponseLog {
  pipeline: { status: string; total: number; delivered: number; pending: number; dead: number };
  deliveries: { id: string; status: string; reason: string | null; attempts: { number: number; outcome: string; httpStatus: number | null; error: string | null; responseBody: string | null }[] }[];
}
const logOf = (api: ApiClient, id: string): Promise<ResponseLog> =>
  api.call(`query { response(id: "${id}") { pipeline { status total delivered pending dead }
    deliveries { id status reason attempts { number outcome httpStatus error responseBody } } } }`);

test('anyone submits; the owner’s webhook gets it signed, and the owner sees what became of it', async () => {
  await using product = await startProduct();
  await using receiver = await startReceiver({ respond: ({ attempt }) => (attempt === 1 ? { status: 500, body: 'not yet' } : 200) });
  const formId = await createHousehold(product.api);
  const { secret } = await connectWebhook(product.api, { formId, url: receiver.url });

  const responseId = await submit(product.stranger, firstResponse(formId)[0] ?? {});
  const requests = await receiver.waitFor(2);
  for (const request of requests) verifySignature(request, secret);
  expect(JSON.parse(requests[0]?.body.toString() ?? '')).toMatchObject({
    type: 'response.created',
    data: { form: { id: formId, title: 'Household survey', version: 1 }, response: { id: responseId, revision: 1, clientId: 'tablet-2-0001' } },
  });

  await waitForTally(product.pipeline.pool, { outbox: 0, delivered: 1 });
  expect(await logOf(product.api, responseId)).toMatchObject({
    pipeline: { status: 'DELIVERED', total: 1, delivered: 1, pending: 0, dead: 0 },
    deliveries: [
      {
        status: 'DELIVERED',
        attempts: [
          { number: 1, outcome: 'RETRY', httpStatus: 500, responseBody: 'not yet' },
          { number: 2, outcome: 'DELIVERED', httpStatus: 200, error: null },
        ],
      },
    ],
  });
});

describe('an integration', () => {
  test('that is paused keeps what comes, and has it delivered when it is resumed', async () => {
    await using product = await startProduct();
    await using receiver = await startReceiver();
    const formId = await createHousehold(product.api);
    const { id } = await connectWebhook(product.api, { formId, url: receiver.url });
    expect(await update(product.api, { id, paused: true })).toMatchObject({ integration: { status: 'PAUSED' } });

    await submitMany(product.stranger, firstResponse(formId, 100));
    await waitForTally(product.pipeline.pool, { outbox: 0, pending: 100, attempts: 0 });
    expect(receiver.requests).toHaveLength(0);

    expect(await update(product.api, { id, paused: false })).toMatchObject({ integration: { status: 'ACTIVE' } });
    await waitForTally(product.pipeline.pool, { delivered: 100, pending: 0 });
    expect(receiver.countsById().size).toBe(100);
  });

  test('whose endpoint moved is mended by its owner, and nothing is lost in between', async () => {
    await using product = await startProduct({ FORMWIRE_RETRY_SCHEDULE: '1h,1h', FORMWIRE_BREAKER_FAILURES: '3' });
    await using gone = await startReceiver({ respond: () => 404 });
    await using receiver = await startReceiver();
    const formId = await createHousehold(product.api);
    const { id } = await connectWebhook(product.api, { formId, url: gone.url });
    await submitMany(product.stranger, firstResponse(formId, 200));
    await waitForTally(product.pipeline.pool, { outbox: 0, pending: 200 });

    await update(product.api, { id, settings: { webhook: { url: receiver.url } } });
    await waitForTally(product.pipeline.pool, { delivered: 200, pending: 0 });
    expect(receiver.countsById().size).toBe(200);
  });

  test('that is deleted has what was pending canceled, and gets nothing more', async () => {
    await using product = await startProduct();
    await using receiver = await startReceiver();
    const formId = await createHousehold(product.api);
    const { id } = await connectWebhook(product.api, { formId, url: receiver.url });
    await update(product.api, { id, paused: true });
    await submitMany(product.stranger, firstResponse(formId, 20));
    await waitForTally(product.pipeline.pool, { outbox: 0, pending: 20 });

    await product.api.call('mutation ($input: DeleteIntegrationInput!) { deleteIntegration(input: $input) { errors { message } } }', { id });
    await waitForTally(product.pipeline.pool, { pending: 0, canceled: 20 });
    await submitMany(product.stranger, householdResponses(formId).slice(20, 30));
    await waitForTally(product.pipeline.pool, { responses: 30, outbox: 0, pending: 0, canceled: 20, delivered: 0 });
    expect(receiver.requests).toHaveLength(0);
  });

  test('gets the responses accepted since it was connected, and none from before', async () => {
    await using product = await startProduct();
    await using receiver = await startReceiver();
    const formId = await createHousehold(product.api);
    await submitMany(product.stranger, firstResponse(formId, 50));
    await connectWebhook(product.api, { formId, url: receiver.url });
    await submitMany(product.stranger, householdResponses(formId).slice(50, 80));
    await waitForTally(product.pipeline.pool, { responses: 80, outbox: 0, delivered: 30, pending: 0 });
    expect(receiver.requests).toHaveLength(30);
  });
});

test('what is dead is redelivered by hand, and the schedule begins anew', async () => {
  await using product = await startProduct({ FORMWIRE_RETRY_SCHEDULE: '20ms', FORMWIRE_BREAKER_FAILURES: '1000' });
  await using receiver = await startReceiver({ respond: () => 500 });
  const formId = await createHousehold(product.api);
  await connectWebhook(product.api, { formId, url: receiver.url });
  await submitMany(product.stranger, firstResponse(formId, 10));
  await waitForTally(product.pipeline.pool, { outbox: 0, dead: 10, attempts: 20 });

  receiver.respond = () => 200;
  const { count } = await product.api.call<{ count: number }>('mutation ($input: RedeliverInput!) { redeliver(input: $input) { count errors { message } } }', {
    filter: { formId, status: 'DEAD' },
  });
  expect(count).toBe(10);
  await waitForTally(product.pipeline.pool, { delivered: 10, dead: 0, attempts: 30 });
});

describe('a client id that is seen again', () => {
  test('answers the first response and emits nothing, also after the form has changed or closed', async () => {
    await using product = await startProduct();
    await using receiver = await startReceiver();
    const formId = await createHousehold(product.api);
    await connectWebhook(product.api, { formId, url: receiver.url });
    const [input = {}] = firstResponse(formId);
    const id = await submit(product.stranger, input);
    expect(await submit(product.stranger, input)).toBe(id);

    await product.api.call('mutation ($input: AddQuestionInput!) { addQuestion(input: $input) { errors { message } } }', {
      formId,
      question: { text: 'A new one that must be answered', kind: 'TEXT', required: true },
    });
    expect(await submit(product.stranger, input)).toBe(id);
    await product.api.call('mutation ($input: UpdateFormInput!) { updateForm(input: $input) { errors { message } } }', { id: formId, status: 'CLOSED' });
    expect(await submit(product.stranger, input)).toBe(id);

    await waitForTally(product.pipeline.pool, { responses: 1, outbox: 0, delivered: 1 });
    expect(receiver.requests).toHaveLength(1);
  });

  test('is an error with other content, and in one call too', async () => {
    await using product = await startProduct();
    const formId = await createHousehold(product.api);
    const [input = {}] = firstResponse(formId);
    const { results } = await submitMany(product.stranger, [input, input, { ...input, metadata: { other: true } }]);
    expect(results[1]?.response?.id).toBe(results[0]?.response?.id);
    expect(results[2]).toMatchObject({ response: null, errors: [{ code: 'IDEMPOTENCY_MISMATCH', path: ['clientId'] }] });
    await waitForTally(product.pipeline.pool, { responses: 1, outbox: 0 });
  });
});

test('a form that changes while responses come in loses and doubles none of them', async () => {
  await using product = await startProduct();
  await using receiver = await startReceiver();
  const formId = await createHousehold(product.api);
  await connectWebhook(product.api, { formId, url: receiver.url });
  const responses = householdResponses(formId).slice(0, 200);
  const changing = (async () => {
    for (let round = 0; round < 10; round += 1) {
      await product.api.call('mutation ($input: AddQuestionInput!) { addQuestion(input: $input) { errors { message } } }', {
        formId,
        question: { text: `Extra ${round}`, kind: 'TEXT' },
      });
    }
  })();
  const ids = await Promise.all(responses.map((response) => submit(product.stranger, response)));
  await changing;
  expect(new Set(ids).size).toBe(200);
  await waitForTally(product.pipeline.pool, { responses: 200, outbox: 0, delivered: 200 });
  expect(receiver.countsById().size).toBe(200);
});

test('a poison response does not fail those it is written with', async () => {
  await using product = await startProduct();
  const formId = await createHousehold(product.api);
  const responses: Record<string, unknown>[] = firstResponse(formId, 20);
  responses[7] = { ...responses[7], metadata: { evil: 'a\u0000b' } };
  responses[9] = { ...responses[9], answers: [] };
  const { results } = await submitMany(product.stranger, responses);
  expect(results.map((result) => result.response !== null)).toEqual(responses.map((_, index) => index !== 7 && index !== 9));
  expect(results[7]?.errors).toEqual([{ code: 'INVALID_INPUT', path: ['metadata', 'evil'] }]);
  expect(results[9]?.errors.every((fault) => fault.code === 'ANSWER_REQUIRED')).toBe(true);
});
