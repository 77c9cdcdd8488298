import { afterAll, beforeAll, expect, test } from 'vitest';
import { openOtherSubmitter, startFormsApi, type FormsApi } from '../support/forms-api.ts';
import { withClient } from '../support/pipeline.ts';

let forms: FormsApi;
beforeAll(async () => void (forms = await startFormsApi()));
afterAll(() => forms[Symbol.asyncDispose]());

const response = expect.stringMatching(/^resp_/);
const answers = [{ key: 'q', value: 'a' }];
const full = 'FORM_FULL formId';
const responsesOf = async (formId: string): Promise<number> =>
  (await forms.api.pool.query('select count(*)::int as count from responses where form_id = $1', [formId])).rows[0].count;
const takenOf = async (formId: string): Promise<number | null> =>
  (await forms.api.pool.query('select taken from form_places where form_id = $1', [formId])).rows[0]?.taken;
const many = (formId: string, count: number, prefix: string) => Array.from({ length: count }, (_, index) => ({ formId, clientId: `${prefix}${index}`, answers }));
const codesOf = (results: readonly object[]): string[] =>
  results.map((result) => ('faults' in result ? (result.faults as { code: string }[]).map(({ code }) => code).join() : 'taken'));

test('a form takes as many responses as it says, and then no more', async () => {
  const { id } = await forms.createForm({ maxResponses: 2 });
  expect([await forms.submit(id), await forms.submit(id), await forms.submit(id)]).toEqual([response, response, full]);
  await forms.updateForm(id, { maxResponses: 3 });
  expect([await forms.submit(id), await forms.submit(id)]).toEqual([response, full]);
  await forms.updateForm(id, { maxResponses: 1 });
  expect(await forms.submit(id)).toBe(full);
  await forms.updateForm(id, { maxResponses: null });
  expect(await forms.submit(id)).toEqual(response);
});

test('a limit of less than one is a fault', async () => {
  for (const maxResponses of [0, -1]) {
    expect(await forms.run('createForm', { title: 'T', questions: [], maxResponses })).toMatchObject({ errors: [{ code: 'INVALID_INPUT', path: ['maxResponses'] }] });
  }
});

test('a repeat of an accepted client id answers the first response of a full form, and takes no place', async () => {
  const { id } = await forms.createForm({ maxResponses: 2 });
  const first = await forms.submit(id, { clientId: 'a' });
  expect(await forms.submit(id, { clientId: 'a' })).toBe(first);
  expect([await forms.submit(id), await forms.submit(id, { clientId: 'a' }), await forms.submit(id)]).toEqual([response, first, full]);
});

test('repeats in front of new responses, in one call, cost those no place', async () => {
  const { id } = await forms.createForm({ maxResponses: 20 });
  const some = many(id, 10, 'c');
  const ids = await forms.submitMany(some);
  const results = await forms.submitMany([...some, ...many(id, 11, 'd')]);
  expect(results.slice(0, 10)).toEqual(ids);
  expect(results.slice(10).filter((result) => result === full)).toHaveLength(1);
  expect(await responsesOf(id)).toBe(20);
});

test('a further revision of a response takes no place, and is taken by a full form', async () => {
  const { id } = await forms.createForm({ maxResponses: 1 });
  const familyId = await forms.submit(id);
  expect(await forms.submit(id, { familyId })).toEqual(response);
  expect([await forms.submit(id), await takenOf(id)]).toEqual([full, 1]);
});

test('two processes that write batches at the same time take exactly as many together', async () => {
  await using one = openOtherSubmitter(forms.api.databaseUrl);
  await using other = openOtherSubmitter(forms.api.databaseUrl);
  const { id } = await forms.createForm({ maxResponses: 600 });
  const { id: secondId } = await forms.createForm({ maxResponses: 1_100 });
  const both = (prefix: string) => many(id, 800, prefix).flatMap((input, index) => [input, { ...input, formId: secondId, clientId: `${prefix}b${index}` }]);
  const results = await Promise.all([one.submitter.submitMany(both('x')), other.submitter.submitMany(both('y').toReversed())]);
  const codes = codesOf(results.flat());
  expect(new Set(codes)).toEqual(new Set(['taken', 'FORM_FULL']));
  expect(codes.filter((code) => code === 'taken')).toHaveLength(1_700);
  expect([await responsesOf(id), await takenOf(id), await responsesOf(secondId), await takenOf(secondId)]).toEqual([600, 600, 1_100, 1_100]);
});

test('a form without a limit, written in one batch with a limited one, loses nothing and keeps no count', async () => {
  const [limited, free] = [await forms.createForm({ maxResponses: 5 }), await forms.createForm()];
  const results = await forms.submitMany([...many(limited.id, 20, 'l'), ...many(free.id, 20, 'f')]);
  expect(results.slice(0, 20).filter((result) => result !== full)).toHaveLength(5);
  expect(await responsesOf(free.id)).toBe(20);
  expect(await takenOf(free.id)).toBeUndefined();
});

test('a limit that comes while two processes take responses counts those on their way, and holds exactly', async () => {
  await using one = openOtherSubmitter(forms.api.databaseUrl);
  await using other = openOtherSubmitter(forms.api.databaseUrl);
  for (const round of [1, 2, 3]) {
    const { id } = await forms.createForm();
    const submitting = Promise.all([one.submitter.submitMany(many(id, 1_000, 'x')), other.submitter.submitMany(many(id, 1_000, 'y'))]);
    await expect.poll(() => responsesOf(id), { interval: 1 }).toBeGreaterThan(0);
    const maxResponses = 900 + round;
    await forms.updateForm(id, { maxResponses });
    const taken = codesOf((await submitting).flat()).filter((code) => code === 'taken').length;
    expect(taken).toBe(await responsesOf(id));
    expect(taken).toBeGreaterThanOrEqual(maxResponses); // more only if they were in before the limit was
    expect(await forms.submit(id)).toBe(full);
    expect(await takenOf(id)).toBe(taken);
  }
});

test('a limit waits for a statement under way that does not know of it, and takes nothing meanwhile', async () => {
  const { id } = await forms.createForm();
  await forms.submit(id);
  await withClient(forms.api.databaseUrl, async (client) => {
    await client.query('begin');
    await client.query(
      `insert into responses (id, form_id, form_version, family_id, revision, submitted_at, answers, respondent, collector, metadata)
       select 'resp_00000000000000000000000000', form_id, 1, 'resp_00000000000000000000000000', 1, now(), answers, respondent, collector, metadata
       from responses where form_id = $1`,
      [id],
    );
    await forms.updateForm(id, { maxResponses: 3 });
    const submitting = Promise.all([forms.submit(id), forms.submit(id)]);
    await expect.poll(async () => (await forms.api.pool.query(`select count(*)::int as count from pg_stat_activity where query like '%pg_locks%' and datname = current_database()`)).rows[0].count).toBeGreaterThan(0);
    expect([await responsesOf(id), await takenOf(id)]).toEqual([1, null]);
    await client.query('commit');
    expect((await submitting).toSorted()).toEqual([full, response]);
  });
  expect([await responsesOf(id), await takenOf(id)]).toEqual([3, 3]);
});

test('a statement waits for one that takes places, and sees how many are left then', async () => {
  const { id } = await forms.createForm({ maxResponses: 3 });
  await forms.submit(id);
  await withClient(forms.api.databaseUrl, async (client) => {
    await client.query('begin');
    await client.query('update form_places set taken = 2 where form_id = $1', [id]); // as another process’s statement would
    const submitting = Promise.all([forms.submit(id), forms.submit(id)]);
    const waiting = `select count(*)::int as count from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`;
    await expect.poll(async () => (await forms.api.pool.query(waiting)).rows[0].count).toBeGreaterThan(0);
    await client.query('commit');
    expect((await submitting).toSorted()).toEqual([full, response]);
  });
  expect(await takenOf(id)).toBe(3);
});
