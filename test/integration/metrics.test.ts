import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { householdForm, householdResponses } from '../../src/bin/demo/household.ts';
import { waitForTally } from '../support/pipeline.ts';
import { startProduct, type TestProduct } from '../support/product.ts';
import { startReceiver, type Receiver } from '../support/receiver.ts';
import { scrape, type Samples } from '../support/samples.ts';

const count = 12;
let product: TestProduct;
let receiver: Receiver;
let samples: Samples;

/** Before anything has happened. */
let atFirst: Samples;

beforeAll(async () => {
  product = await startProduct({ FORMWIRE_RETRY_SCHEDULE: '50ms' });
  atFirst = await scrape(product.url);
  const ids: string[] = [];
  receiver = await startReceiver({
    respond: ({ id, attempt }) => {
      if (attempt === 1) ids.push(id);
      const isDown = (id === ids[0] && attempt === 1) || id === ids[1]; // one once, one for good
      return isDown ? 503 : 200;
    },
  });
  const { form } = await product.api.call<{ form: { id: string } }>('mutation ($input: CreateFormInput!) { createForm(input: $input) { form { id } errors { message } } }', householdForm());
  await product.api.call('mutation ($input: CreateIntegrationInput!) { createIntegration(input: $input) { integration { id } errors { message } } }', {
    formId: form.id,
    settings: { webhook: { url: receiver.url } },
  });
  await product.api.call('mutation ($input: SubmitResponsesInput!) { submitResponses(input: $input) { results { errors { message } } errors { message } } }', {
    responses: householdResponses(form.id).slice(0, count),
  });
});
afterAll(async () => {
  await receiver[Symbol.asyncDispose]();
  await product[Symbol.asyncDispose]();
});

const sumOf = (some: Samples, name: string): number => [...some].filter(([sample]) => sample.startsWith(name)).reduce((sum, [, value]) => sum + value, 0);

test('partitions tell within seconds how far behind they are, and what is stored is told', async () => {
  await waitForTally(product.pipeline.pool, { outbox: 0, delivered: count - 1, dead: 1 });
  await expect.poll(async () => sumOf((samples = await scrape(product.url)), 'formwire_partition_owned'), { timeout: 15_000 }).toBe(16);
  await expect.poll(async () => (samples = await scrape(product.url)).has('formwire_partition_lag{partition="15"}'), { timeout: 15_000 }).toBe(true);
  expect(samples.get('formwire_outbox_events')).toBeGreaterThanOrEqual(0);
});

test('every response is counted where it was written, published, recorded and answered for', () => {
  expect(samples.get('formwire_submit_batch_responses_sum')).toBe(count);
  expect(samples.get('formwire_submit_write_seconds_count')).toBe(samples.get('formwire_submit_batch_responses_count'));
  expect(samples.get('formwire_publish_seconds_count')).toBe(count);
  expect(samples.get('formwire_record_batch_outcomes_sum')).toBeGreaterThanOrEqual(count + 2);
  expect(samples.get('formwire_http_request_seconds_count{path="/graphql",status="2xx"}')).toBeGreaterThanOrEqual(4);
  expect([...samples.keys()].filter((sample) => sample.includes('path="other"'))).toEqual([]);
});

test('attempts and deliveries are counted by provider and outcome, with the class of the error', () => {
  expect(samples.get('formwire_attempts_total{provider="webhook",outcome="delivered",error=""}')).toBe(count - 1);
  expect(samples.get('formwire_attempts_total{provider="webhook",outcome="retry",error="HTTP_STATUS"}')).toBe(3);
  expect(samples.get('formwire_deliveries_total{provider="webhook",status="delivered"}')).toBe(count - 1);
  expect(samples.get('formwire_deliveries_total{provider="webhook",status="dead"}')).toBe(1);
  expect(samples.get('formwire_deliveries_total{provider="webhook",status="pending"}')).toBe(2);
  expect(samples.get('formwire_attempt_seconds_count{provider="webhook"}')).toBe(count + 2);
});

test('deliveries are counted from 0 on, so that the first thousand dead ones are seen to come', () => {
  const counted = [...atFirst].filter(([sample]) => sample.startsWith('formwire_deliveries_total'));
  expect(counted).toHaveLength(3 * 4);
  expect(counted).toContainEqual(['formwire_deliveries_total{provider="googleSheets",status="dead"}', 0]);
  expect(counted.every(([, value]) => value === 0)).toBe(true);
});

test('the time from accepting to delivering is told of what was delivered', () => {
  expect(samples.get('formwire_delivered_after_seconds_count{provider="webhook"}')).toBe(count - 1);
  expect(samples.get('formwire_delivered_after_seconds_sum{provider="webhook"}')).toBeGreaterThan(0);
  expect(samples.get('formwire_delivered_after_seconds_bucket{le="60",provider="webhook"}')).toBe(count - 1);
});

test('partitions, lanes and connections are told as they are now', () => {
  expect(sumOf(samples, 'formwire_partition_owned')).toBe(16);
  expect(sumOf(samples, 'formwire_partition_lag')).toBe(0);
  expect(samples.get('formwire_lanes{provider="webhook",breaker="closed"}')).toBe(1);
  expect(samples.get('formwire_lane_deliveries{provider="webhook",state="queued"}')).toBe(0);
  expect(samples.get('formwire_breaker_open_seconds{provider="webhook"}')).toBe(0);
  for (const pool of ['read', 'write', 'dispatch', 'tenant', 'entities']) expect(samples.get(`formwire_database_connections{pool="${pool}",state="busy"}`), pool).toBeGreaterThanOrEqual(0);
});

test('what rules and panels choose by is a label of what they name', () => {
  const asked = ['alerts.yml', 'dashboard.json'].map((name) => readFileSync(path.resolve(import.meta.dirname, '../../ops', name), 'utf8').replaceAll('\\"', '"')).join('\n');
  const chosen = [...asked.matchAll(/(formwire_\w+)\{([^{}]+)\}/g)].flatMap(([, name = '', matchers = '']) =>
    [...matchers.matchAll(/(\w+)(?:=|!=|=~|!~)"([^"]*)"/g)].map(([, label, value]) => ({ name, label, value })),
  );
  const labels = (name: string): string[] => [...samples.keys()].filter((sample) => sample.startsWith(`${name}{`)).flatMap((sample) => [...sample.matchAll(/(\w+)="/g)].map(([, label = '']) => label));
  const known = chosen.filter(({ name }) => labels(name).length > 0);
  expect(new Set(known.map(({ name }) => name)).size).toBeGreaterThan(4);
  expect(known.filter(({ name, label }) => label !== 'job' && !labels(name).includes(label ?? ''))).toEqual([]);
});

test('no series is about one integration, form or response', () => {
  expect([...samples.keys()].filter((sample) => /(intg|form|org|resp|evt|dlv|dsp)_[0-9a-z]{26}/.test(sample))).toEqual([]);
});

test('metrics that cross a proxy are given to nobody without a token', async () => {
  const forwarded = await fetch(`${product.url}/metrics`, { headers: { 'x-forwarded-for': '203.0.113.7' } });
  expect([forwarded.status, await forwarded.json()]).toEqual([403, { error: expect.stringContaining('FORMWIRE_METRICS_TOKEN') }]);
});
