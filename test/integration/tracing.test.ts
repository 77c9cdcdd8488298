import { expect, test } from 'vitest';
import { householdForm, householdResponses } from '../../src/bin/demo/household.ts';
import type { Id } from '../../src/events/id.ts';
import { createLog, silentLog } from '../../src/log.ts';
import { traceIdOf } from '../../src/tracing/trace-id.ts';
import { openTracing } from '../../src/tracing/tracing.ts';
import { startOtlpReceiver, type SentSpan } from '../support/otlp.ts';
import { seedForm, seedWebhook, startPipeline, submitHousehold, waitForTally } from '../support/pipeline.ts';
import { createTestDatabase } from '../support/database.ts';
import { startTestNats } from '../support/nats.ts';
import { startProduct } from '../support/product.ts';
import { startReceiver } from '../support/receiver.ts';

const open = (endpoint: string, share = 1) => openTracing({ endpoint, share, roles: ['api'], log: silentLog });
/** The span of this name, of which there is one. */
const only = (spans: readonly SentSpan[], name: string): SentSpan => {
  const found = spans.filter((span) => span.name === name);
  expect(found.map((span) => span.name)).toEqual([name]);
  return found[0]!;
};

test('one trace leads from the mutation through commit, stream and lane to the receiver', async () => {
  await using otlp = await startOtlpReceiver();
  await using receiver = await startReceiver();
  const tracing = open(otlp.url);
  {
    await using product = await startProduct({}, { tracing });
    const { form } = await product.api.call<{ form: { id: string } }>('mutation ($input: CreateFormInput!) { createForm(input: $input) { form { id } errors { message } } }', householdForm());
    await product.api.call('mutation ($input: CreateIntegrationInput!) { createIntegration(input: $input) { integration { id } errors { message } } }', { formId: form.id, settings: { webhook: { url: receiver.url } } });
    const [input] = householdResponses(form.id);
    const query = 'mutation ($input: SubmitResponseInput!) { submitResponse(input: $input) { response { id } errors { message } } }';
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    await fetch(`${product.url}/graphql`, { method: 'POST', headers: { 'content-type': 'application/json', traceparent }, body: JSON.stringify({ query, variables: { input } }) });
    await waitForTally(product.pipeline.pool, { outbox: 0, delivered: 1 });
  }
  await tracing.close();

  const spans = otlp.spans.filter((span) => span.traceId === '0af7651916cd43dd8448eb211c80319c');
  const [request, commit, publish] = [only(spans, 'POST /graphql'), only(spans, 'response.commit'), only(spans, 'event.publish')];
  const [dispatch, attempt] = [only(spans, 'event.dispatch'), only(spans, 'delivery.attempt')];
  expect(request).toMatchObject({ parentSpanId: 'b7ad6b7169203331', attributes: { 'http.response.status_code': 200 } });
  expect([commit, publish, dispatch, attempt].map((span) => span.parentSpanId)).toEqual([request.spanId, request.spanId, publish.spanId, dispatch.spanId]);
  const [received] = receiver.requests;
  expect(received?.headers['traceparent']).toBe(`00-${attempt.traceId}-${attempt.spanId}-01`);
  expect(attempt.attributes).toMatchObject({ 'formwire.event_id': received?.id, 'formwire.provider': 'webhook', 'formwire.outcome': 'delivered', 'http.response.status_code': 200 });
  expect(JSON.stringify(otlp.spans)).not.toContain(receiver.url);
});

test('later attempts are in the trace of their event, to which the first one links, with the same body', async () => {
  await using otlp = await startOtlpReceiver();
  await using receiver = await startReceiver({ respond: ({ attempt }) => (attempt < 3 ? 503 : 200) });
  const tracing = open(otlp.url);
  await using database = await createTestDatabase();
  await using nats = await startTestNats();
  {
    await using pipeline = startPipeline({ databaseUrl: database.url, natsUrl: nats.url, tracing });
    const form = await seedForm(database.url);
    await seedWebhook(database.url, { ...form, url: receiver.url });
    await expect.poll(async () => (await pipeline.readiness()).reasons).toEqual([]);
    await tracing.request({ traceparent: undefined, method: 'POST', path: '/graphql', statusOf: () => 200 }, async () => void (await submitHousehold(pipeline, { formId: form.formId, count: 1 })));
    await waitForTally(pipeline.pool, { outbox: 0, delivered: 1 });
  }
  await tracing.close();

  const [first, ...later] = otlp.spans.filter((span) => span.name === 'delivery.attempt').toSorted((one, other) => Number(one.attributes['formwire.attempt']) - Number(other.attributes['formwire.attempt']));
  const ofEvent = traceIdOf(receiver.requests[0]!.id as Id<'evt'>);
  expect(first?.links).toEqual([ofEvent]);
  expect(first?.traceId).toBe(only(otlp.spans, 'POST /graphql').traceId);
  expect(later.map(({ traceId, parentSpanId }) => [traceId, parentSpanId])).toEqual([[ofEvent, undefined], [ofEvent, undefined]]);
  expect(later.map(({ links }) => links)).toEqual([[ofEvent], []]);
  expect(new Set(receiver.requests.map(({ body }) => body.toString())).size).toBe(1);
});

test('what the sweeper publishes again is one trace from there to the receiver, whichever processes do it', async () => {
  await using otlp = await startOtlpReceiver();
  await using receiver = await startReceiver();
  await using database = await createTestDatabase();
  await using nats = await startTestNats();
  const form = await seedForm(database.url);
  await seedWebhook(database.url, { ...form, url: receiver.url });
  const [taking, dispatching] = [open(otlp.url), open(otlp.url)];
  await nats.stop();
  {
    await using pipeline = startPipeline({ databaseUrl: database.url, natsUrl: nats.url, settings: { FORMWIRE_ROLES: 'api' }, tracing: taking });
    await submitHousehold(pipeline, { formId: form.formId, count: 1 });
  }
  await taking.close();
  await nats.start();
  {
    await using pipeline = startPipeline({ databaseUrl: database.url, natsUrl: nats.url, tracing: dispatching });
    await waitForTally(pipeline.pool, { outbox: 0, delivered: 1 });
  }
  await dispatching.close();

  const ofEvent = otlp.spans.filter((span) => span.traceId === traceIdOf(receiver.requests[0]!.id as Id<'evt'>));
  const [publish, dispatch, attempt] = [only(ofEvent, 'event.publish'), only(ofEvent, 'event.dispatch'), only(ofEvent, 'delivery.attempt')];
  expect(publish).toMatchObject({ parentSpanId: undefined, attributes: { 'formwire.republished': true } });
  expect([dispatch.parentSpanId, attempt.parentSpanId]).toEqual([publish.spanId, dispatch.spanId]);
  expect(receiver.requests[0]?.headers['traceparent']).toContain(attempt.spanId);
});

test('what is not sampled has no header and no span, and a caller cannot have more sent than the share', async () => {
  await using otlp = await startOtlpReceiver();
  await using receiver = await startReceiver();
  const tracing = open(otlp.url, 0);
  {
    await using database = await createTestDatabase();
    await using nats = await startTestNats();
    await using pipeline = startPipeline({ databaseUrl: database.url, natsUrl: nats.url, tracing });
    const form = await seedForm(database.url);
    await seedWebhook(database.url, { ...form, url: receiver.url });
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    await tracing.request({ traceparent, method: 'POST', path: '/graphql', statusOf: () => 200 }, async () => void (await submitHousehold(pipeline, { formId: form.formId, count: 3 })));
    await waitForTally(pipeline.pool, { outbox: 0, delivered: 3 });
  }
  await tracing.close();
  expect(otlp.spans).toEqual([]);
  expect(receiver.requests.map(({ headers }) => headers['traceparent'])).toEqual([undefined, undefined, undefined]);
});

test('nobody who takes traces keeps anything from being delivered, and it is logged', async () => {
  const lines: string[] = [];
  const log = createLog('warn', { write: (line) => void lines.push(line) });
  await using database = await createTestDatabase();
  await using nats = await startTestNats();
  await using receiver = await startReceiver();
  const tracing = openTracing({ endpoint: 'http://ada:hunter2@127.0.0.1:1', share: 1, roles: ['api'], log });
  {
    await using pipeline = startPipeline({ databaseUrl: database.url, natsUrl: nats.url, tracing });
    const form = await seedForm(database.url);
    await seedWebhook(database.url, { ...form, url: receiver.url });
    await tracing.request({ traceparent: undefined, method: 'POST', path: '/graphql', statusOf: () => 200 }, async () => void (await submitHousehold(pipeline, { formId: form.formId, count: 3 })));
    await waitForTally(pipeline.pool, { outbox: 0, delivered: 3 });
    await expect.poll(() => lines.join(''), { timeout: 15_000 }).toContain('"traces.not_sent"');
  }
  await tracing.close();
  expect(lines.join('')).not.toContain('hunter2');
});
