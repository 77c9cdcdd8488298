import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { Pool } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Id } from '../../src/events/id.ts';
import { encodeCursor, positionKey } from '../../src/graphql/cursor.ts';
import type { Submitter } from '../../src/responses/submit-response.ts';
import { openTestPool } from '../support/database.ts';
import { follow } from '../support/follower.ts';
import { openOtherSubmitter } from '../support/forms-api.ts';
import { startProduct, type TestProduct } from '../support/product.ts';
import { insertResponse } from '../support/rows.ts';

let product: TestProduct;
let pool: Pool;
let other: { submitter: Submitter } & AsyncDisposable;

beforeAll(async () => {
  product = await startProduct();
  pool = openTestPool(product.databaseUrl, 12);
  other = openOtherSubmitter(product.databaseUrl);
});
afterAll(async () => {
  await other[Symbol.asyncDispose]();
  await pool.end();
  await product[Symbol.asyncDispose]();
});

const query = 'subscription ($formId: ID!) { responseCreated(formId: $formId) { response { id } } }';
const followForm = (formId: string) => follow<{ response: { id: string } }>(product, { query, variables: { formId }, after: encodeCursor(positionKey(0)) });
const idsOf = ({ told }: ReturnType<typeof followForm>): string[] => told.map(({ item }) => item.response.id);

const newForm = async (): Promise<Id<'form'>> => {
  const input = { title: 'Live', questions: [{ key: 'q', text: 'Q', kind: 'TEXT' }] };
  return (await product.api.call<{ form: { id: Id<'form'> } }>('mutation ($input: CreateFormInput!) { createForm(input: $input) { form { id } errors { message } } }', input)).form.id;
};

type Action =
  | { kind: 'submit'; count: number; through: 'this' | 'other' }
  | { kind: 'slow transaction'; ms: number }
  | { kind: 'disconnect'; who: number }
  | { kind: 'outage'; ms: number }
  | { kind: 'restart' }
  | { kind: 'pause'; ms: number };

const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('submit' as const), count: fc.integer({ min: 1, max: 25 }), through: fc.constantFrom('this' as const, 'other' as const) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('slow transaction' as const), ms: fc.integer({ min: 1, max: 60 }) }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('disconnect' as const), who: fc.nat(2) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('outage' as const), ms: fc.integer({ min: 1, max: 300 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart' as const) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('pause' as const), ms: fc.integer({ min: 1, max: 30 }) }) },
);

/** Draws its position now and commits later: others with higher positions are there before it. */
async function commitLate(formId: Id<'form'>, ms: number): Promise<void> {
  const client = await pool.connect();
  await client.query('begin');
  await insertResponse(client as unknown as Pool, { formId });
  await sleep(ms);
  await client.query('commit');
  client.release();
}

test('whatever breaks, a subscriber that comes back is told everything once and in its order', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(action, { minLength: 15, maxLength: 40 }), async (actions) => {
      const formId = await newForm();
      const followers = [followForm(formId), followForm(formId), followForm(formId)];
      const under: Promise<unknown>[] = [];
      const submit = (count: number, submitter: Submitter) =>
        submitter.submitMany(Array.from({ length: count }, () => ({ formId, answers: [{ key: 'q', value: 'a' }] })));
      for (const step of actions) {
        if (step.kind === 'submit') under.push(submit(step.count, step.through === 'this' ? product.pipeline.submitter : other.submitter));
        if (step.kind === 'slow transaction') under.push(commitLate(formId, step.ms));
        if (step.kind === 'disconnect') followers[step.who]?.disconnect();
        if (step.kind === 'pause') await sleep(step.ms);
        if (step.kind === 'restart') await product.restartApi();
        if (step.kind === 'outage') {
          await product.nats.stop();
          await sleep(step.ms);
          await product.nats.start();
        }
      }
      await Promise.all(under);
      const { rows } = await pool.query<{ id: string }>('select id from responses where form_id = $1 order by position', [formId]);
      const all = rows.map(({ id }) => id);
      for (const { told } of followers) await expect.poll(() => told.length, { timeout: 15_000, interval: 20 }).toBeGreaterThanOrEqual(all.length);
      await Promise.all(followers.map(({ stop }) => stop()));
      for (const follower of followers) expect(idsOf(follower)).toEqual(all);
    }),
    { numRuns: 4, endOnFailure: true },
  );
}, 240_000);
