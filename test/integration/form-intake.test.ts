import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startFormsApi, openOtherSubmitter, type FormsApi } from '../support/forms-api.ts';

let forms: FormsApi;
beforeAll(async () => void (forms = await startFormsApi()));
afterAll(() => forms[Symbol.asyncDispose]());

const response = expect.stringMatching(/^resp_/);
const databaseTime = async (): Promise<Date> => (await forms.api.pool.query('select now() as now')).rows[0].now;
const inMs = async (ms: number): Promise<string> => new Date((await databaseTime()).getTime() + ms).toISOString();

describe('a form’s status', () => {
  test('is OPEN unless its maker says otherwise, and a draft takes nothing until it is opened', async () => {
    const [open, draft] = [await forms.createForm({}, 'id status'), await forms.createForm({ status: 'DRAFT' }, 'id status')];
    expect([open.status, draft.status]).toEqual(['OPEN', 'DRAFT']);
    expect(await forms.submit(open.id)).toEqual(response);
    expect(await forms.submit(draft.id)).toBe('FORM_NOT_OPEN_YET formId');
    await forms.updateForm(draft.id, { status: 'OPEN' });
    expect(await forms.submit(draft.id)).toEqual(response);
  });

  test('CLOSED refuses, in every process, and a repeat still answers the first response', async () => {
    await using other = openOtherSubmitter(forms.api.databaseUrl);
    const { id: formId } = await forms.createForm();
    const input = { formId, clientId: 'c', answers: [{ key: 'q', value: 'a' }] };
    const first = await other.submitter.submit(input);
    await forms.updateForm(formId, { status: 'CLOSED' });
    expect(await other.submitter.submit(input)).toMatchObject({ id: first.id });
    await expect(other.submitter.submit({ ...input, clientId: 'd' })).rejects.toMatchObject({ faults: [{ code: 'FORM_CLOSED', path: ['formId'] }] });
    expect(await forms.submit(formId)).toBe('FORM_CLOSED formId');
  });

  test('a change of nothing leaves responses under way alone', async () => {
    const { id } = await forms.createForm({ opensAt: '2020-01-01T00:00:00Z' });
    const intakeVersion = async () => (await forms.api.pool.query('select intake_version from forms where id = $1', [id])).rows[0].intake_version;
    await forms.updateForm(id, { status: 'OPEN', opensAt: '2020-01-01T00:00:00.000Z', description: 'd' });
    expect(await intakeVersion()).toBe(0);
    await forms.updateForm(id, { opensAt: null });
    expect(await intakeVersion()).toBe(1);
  });
});

describe('a closing form', () => {
  const before = '2026-11-21T02:14:59.999Z';
  const at = '2026-11-21T02:15:00.000Z'; // the API's clock in these tests
  const submit = (formId: string, collector?: Record<string, string>) => forms.submit(formId, collector && { collector });

  test('takes what was begun before it stopped, by the earlier of the collector’s times', async () => {
    const { id } = await forms.createForm();
    expect(await forms.updateForm(id, { status: 'CLOSING' })).toMatchObject({ status: 'CLOSING', closingSince: at });
    expect(await submit(id, { submittedAt: before })).toEqual(response);
    expect(await submit(id, { lastModifiedAt: '2026-11-21T03:14:59.999+01:00' })).toEqual(response);
    expect(await submit(id, { lastModifiedAt: before, submittedAt: '2026-12-01T00:00:00Z' })).toEqual(response);
    expect(await submit(id, { submittedAt: at })).toBe('FORM_CLOSED formId');
    expect(await submit(id, { lastModifiedAt: '2026-12-01T00:00:00Z' })).toBe('FORM_CLOSED formId');
    expect(await submit(id, { submittedAt: 'yesterday' })).toBe('FORM_CLOSED formId');
    expect(await submit(id)).toBe('FORM_CLOSED formId');
  });

  test('stopped at its closesAt where that was earlier, and goes on taking what was begun before until it is closed', async () => {
    const { id } = await forms.createForm({ closesAt: '2026-11-20T18:00:00Z' });
    expect(await submit(id, { submittedAt: '2026-11-20T17:59:59Z' })).toBe('FORM_CLOSED formId');
    await forms.updateForm(id, { status: 'CLOSING' });
    expect(await submit(id, { submittedAt: '2026-11-20T17:59:59Z' })).toEqual(response);
    expect(await submit(id, { submittedAt: '2026-11-20T18:00:00Z' })).toBe('FORM_CLOSED formId');
    await forms.updateForm(id, { status: 'CLOSED' });
    expect(await submit(id, { submittedAt: '2026-11-20T17:59:59Z' })).toBe('FORM_CLOSED formId');
  });

  test('keeps since when it is closing until it is something else', async () => {
    const { id } = await forms.createForm({ status: 'CLOSING' });
    forms.api.clock.now = new Date('2026-11-21T02:45:00Z');
    try {
      expect(await forms.updateForm(id, { status: 'CLOSING', title: 'New' })).toMatchObject({ closingSince: at });
      expect(await forms.updateForm(id, { status: 'OPEN' })).toMatchObject({ closingSince: null });
    } finally {
      forms.api.clock.now = new Date(at);
    }
  });

  test('refuses what another process found acceptable while it was open', async () => {
    await using other = openOtherSubmitter(forms.api.databaseUrl);
    const { id: formId } = await forms.createForm();
    const answers = [{ key: 'q', value: 'a' }];
    await other.submitter.submit({ formId, answers });
    await forms.updateForm(formId, { status: 'CLOSING' });
    await expect(other.submitter.submit({ formId, answers })).rejects.toMatchObject({ faults: [{ code: 'FORM_CLOSED' }] });
    await expect(other.submitter.submit({ formId, answers, collector: { submittedAt: before } })).resolves.toMatchObject({ formId });
  });
});

describe('opensAt and closesAt', () => {
  test('are kept as given, and null takes them away', async () => {
    const times = { opensAt: '2026-11-01T00:00:00.000Z', closesAt: '2026-12-01T00:00:00.001Z' };
    const { id, ...form } = await forms.createForm(times, 'id opensAt closesAt closingSince');
    expect(form).toEqual({ ...times, closingSince: null });
    expect(await forms.updateForm(id, { title: 'T' })).toMatchObject(times);
    expect(await forms.updateForm(id, { closesAt: null })).toMatchObject({ opensAt: times.opensAt, closesAt: null });
  });

  test('in the wrong order are a fault, also where only one of them changes', async () => {
    const at = '2026-11-21T00:00:00Z';
    const input = { title: 'T', questions: [], opensAt: at, closesAt: at };
    expect(await forms.run('createForm', input)).toMatchObject({ errors: [{ code: 'INVALID_INPUT', path: ['closesAt'] }] });
    const { id } = await forms.createForm({ opensAt: at });
    expect(await forms.run('updateForm', { id, closesAt: '2026-11-20T00:00:00Z' })).toMatchObject({ errors: [{ code: 'INVALID_INPUT', path: ['closesAt'] }] });
  });

  test('each answers with a code of its own', async () => {
    expect(await forms.submit((await forms.createForm({ opensAt: await inMs(60_000) })).id)).toBe('FORM_NOT_OPEN_YET formId');
    expect(await forms.submit((await forms.createForm({ closesAt: await inMs(-1) })).id)).toBe('FORM_CLOSED formId');
    expect(await forms.submit((await forms.createForm({ opensAt: await inMs(-60_000), closesAt: await inMs(60_000) })).id)).toEqual(response);
  });

  /** The database's times of the statements that wrote a form's responses: each outbox row has its own. */
  const timesOf = async (formId: string): Promise<{ first: Date; last: Date }> =>
    (await forms.api.pool.query('select min(created_at) as first, max(created_at) as last from outbox where form_id = $1', [formId])).rows[0];

  test('hold to the millisecond by the database’s clock, though processes remember the form as it was', async () => {
    await using other = openOtherSubmitter(forms.api.databaseUrl);
    const opensAt = await inMs(300);
    const closesAt = await inMs(700);
    const { id: formId } = await forms.createForm({ opensAt, closesAt });
    const input = { formId, answers: [{ key: 'q', value: 'a' }] };
    const codes: string[] = [];
    for (let isOver = false; !isOver; ) {
      const [result] = await other.submitter.submitMany([input]);
      const code = result && 'faults' in result ? (result.faults[0]?.code ?? '') : 'taken';
      if (code !== codes.at(-1)) codes.push(code);
      isOver = code === 'FORM_CLOSED';
    }
    expect(codes).toEqual(['FORM_NOT_OPEN_YET', 'taken', 'FORM_CLOSED']);
    const { first, last } = await timesOf(formId);
    expect(first >= new Date(opensAt)).toBe(true);
    expect(last <= new Date(closesAt)).toBe(true); // the column keeps milliseconds, rounded
    expect(await databaseTime() >= new Date(closesAt)).toBe(true);
  });
});
