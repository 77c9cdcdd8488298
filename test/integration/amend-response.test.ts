import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Id } from '../../src/events/id.ts';
import { createPublishedForms } from '../../src/forms/published-forms.ts';
import { amendResponse } from '../../src/responses/amend-response.ts';
import { UserError } from '../../src/user-error.ts';
import { openChecks } from '../support/checks.ts';
import { openTestPool } from '../support/database.ts';
import { editorOf } from '../support/pipeline.ts';
import { openOtherSubmitter, startFormsApi, type FormsApi } from '../support/forms-api.ts';

let forms: FormsApi;

beforeAll(async () => {
  forms = await startFormsApi();
});
afterAll(() => forms[Symbol.asyncDispose]());

const questions = [
  { key: 'name', text: 'Name?', kind: 'TEXT', required: true },
  { key: 'age', text: 'Age?', kind: 'INTEGER' },
  { key: 'colour', text: 'Colour?', kind: 'SINGLE_CHOICE', choices: [{ text: 'Red' }, { text: 'Blue' }] },
];
const first = { answers: [{ key: 'name', value: 'Ada' }, { key: 'age', value: 36 }, { key: 'colour', value: 'Red' }] };

async function submitted(formInput: Record<string, unknown> = {}, input: Record<string, unknown> = first) {
  const form = await forms.createForm({ questions, ...formInput }, 'id questions { id key }');
  return { form, responseId: await forms.submit(form.id, input) };
}

const selection = 'response { id revision familyId clientId formVersion answers { question { key } text } respondent { name mobile } metadata amendedBy { username } amendedAt submittedAt }';
const amend = (input: Record<string, unknown>, token?: string) => forms.run('amendResponse', input, { selection, ...(token && { token }) });
const textsOf = ({ answers }: { answers: { question: { key: string }; text: string }[] }) => Object.fromEntries(answers.map(({ question, text }) => [question.key, text]));

describe('an amendment', () => {
  test('changes the answers it names, takes away those it names null, and leaves the others', async () => {
    const { responseId } = await submitted();
    const { response, errors } = await amend({ responseId, expectedRevision: 1, answers: [{ key: 'age', value: 37 }, { question: 'Colour?', value: null }] });
    expect(errors).toEqual([]);
    expect(textsOf(response)).toEqual({ name: 'Ada', age: '37' });
    expect(response).toMatchObject({ revision: 2, familyId: responseId, clientId: null, amendedBy: { username: 'owner' }, amendedAt: response.submittedAt });
  });

  test('leaves the earlier revision as it was, and is the one that lists show', async () => {
    const { form, responseId } = await submitted();
    const { response } = await amend({ responseId, expectedRevision: 1, answers: [{ key: 'name', value: 'Grace' }] });
    const query = `query ($form: ID!, $id: ID!) {
      form(id: $form) { responses { edges { node { id } } } }
      response(id: $id) { amendedBy { id } revisions { edges { node { revision answers { question { key } text } } } } }
    }`;
    const data = await forms.api.gql(query, { form: form.id, id: responseId }, forms.token);
    expect(data.form.responses.edges).toEqual([{ node: { id: response.id } }]);
    expect(data.response.amendedBy).toBeNull();
    expect(data.response.revisions.edges.map(({ node }: { node: never }) => textsOf(node)['name'])).toEqual(['Ada', 'Grace']);
  });

  test('keeps or replaces the respondent and the metadata as a whole', async () => {
    const { responseId } = await submitted({}, { ...first, respondent: { name: 'Ada', mobile: '+1' }, metadata: { a: 1, b: 2 } });
    const kept = await amend({ responseId, expectedRevision: 1, answers: [] });
    expect(kept.response).toMatchObject({ respondent: { name: 'Ada', mobile: '+1' }, metadata: { a: 1, b: 2 } });
    const changed = await amend({ responseId, expectedRevision: 2, respondent: { name: 'Grace' }, metadata: { c: 3 } });
    expect(changed.response).toMatchObject({ respondent: { name: 'Grace', mobile: null }, metadata: { c: 3 } });
    const taken = await amend({ responseId, expectedRevision: 3, respondent: null, metadata: null });
    expect(taken.response).toMatchObject({ respondent: { name: null, mobile: null }, metadata: {} });
  });

  test('names the response by any of its revisions', async () => {
    const { responseId } = await submitted();
    const second = await amend({ responseId, expectedRevision: 1, answers: [{ key: 'age', value: 1 }] });
    const third = await amend({ responseId: second.response.id, expectedRevision: 2, answers: [{ key: 'age', value: 2 }] });
    expect(third.response).toMatchObject({ revision: 3, familyId: responseId });
  });

  test('of a revision that is not the current one is refused, and says which one is', async () => {
    const { responseId } = await submitted();
    await amend({ responseId, expectedRevision: 1, answers: [{ key: 'age', value: 1 }] });
    for (const expectedRevision of [0, 1, 3, -1]) {
      const { response, errors } = await amend({ responseId, expectedRevision, answers: [{ key: 'age', value: 2 }] });
      expect(response).toBeNull();
      expect(errors).toEqual([{ code: 'REVISION_CONFLICT', path: ['expectedRevision'], message: expect.stringContaining('at revision 2') }]);
    }
  });

  test.for([
    ['an answer that does not fit', { answers: [{ key: 'age', value: 'old' }] }, 'ANSWER_INVALID answers.0.value'],
    ['a required answer taken away', { answers: [{ key: 'name', value: null }] }, 'ANSWER_REQUIRED answers.0.value'],
    ['a question that is not there', { answers: [{ key: 'size', value: 1 }] }, 'QUESTION_UNKNOWN answers.0.key'],
    ['a question named twice', { answers: [{ key: 'age', value: 1 }, { question: 'Age?', value: 2 }] }, 'ANSWER_REPEATED answers.1'],
    ['a client id that is too long', { clientId: 'x'.repeat(201) }, 'INVALID_INPUT clientId'],
    ['metadata that cannot be stored', { metadata: { a: '\u0000' } }, 'INVALID_INPUT metadata.a'],
  ] as const)('with %s is refused', async ([, input, fault]) => {
    const { responseId } = await submitted();
    const { response, errors } = await amend({ responseId, expectedRevision: 1, ...input });
    expect(response).toBeNull();
    expect(errors.map(({ code, path }: { code: string; path: string[] }) => `${code} ${path.join('.')}`)).toEqual([fault]);
  });

  test('is read by the form’s present version: what became required must be answered, what is gone stays behind', async () => {
    const { form, responseId } = await submitted();
    const idOf = (key: string) => form.questions.find((question: { key: string }) => question.key === key).id;
    await forms.run('removeQuestion', { id: idOf('age') });
    await forms.run('updateQuestion', { id: idOf('colour'), choices: [{ text: 'Green' }] });
    await forms.run('addQuestion', { formId: form.id, question: { key: 'size', text: 'Size?', kind: 'INTEGER', required: true } });

    const refused = await amend({ responseId, expectedRevision: 1, answers: [{ key: 'name', value: 'Grace' }] });
    expect(refused.errors).toEqual([
      { code: 'ANSWER_INVALID', path: ['answers'], message: expect.stringMatching(/^colour has no choice .* no longer fits the form/) },
      { code: 'ANSWER_REQUIRED', path: ['answers'], message: expect.stringContaining('size') },
    ]);
    const { response } = await amend({ responseId, expectedRevision: 1, answers: [{ key: 'colour', value: 'Green' }, { key: 'size', value: 3 }] });
    expect(response.formVersion).toBe(4);
    expect(textsOf(response)).toEqual({ name: 'Ada', colour: 'Green', size: '3' });
  });

  test('that hides a question takes away its answer in the same breath, or is refused', async () => {
    const asked = [{ key: 'children', text: 'Children?', kind: 'BOOLEAN' }, { key: 'ages', text: 'Ages?', kind: 'TEXT', required: true, visibleWhen: 'children' }];
    const { responseId } = await submitted({ questions: asked }, { answers: [{ key: 'children', value: true }, { key: 'ages', value: '3 and 5' }] });
    const no = { key: 'children', value: false };
    const refused = await amend({ responseId, expectedRevision: 1, answers: [no] });
    expect(refused.errors).toMatchObject([{ code: 'ANSWER_HIDDEN', path: ['answers'], message: expect.stringMatching(/^ages .* take the answer away with null/) }]);
    const { response, errors } = await amend({ responseId, expectedRevision: 1, answers: [no, { key: 'ages', value: null }] });
    expect(errors).toEqual([]);
    expect(textsOf(response)).toEqual({ children: 'false' });
  });

  test('is taken whatever its form takes from others, and uses up no place', async () => {
    const { form, responseId } = await submitted({ maxResponses: 2, oneResponsePer: 'MOBILE' }, { ...first, respondent: { mobile: '+14155550100' } });
    expect((await amend({ responseId, expectedRevision: 1, answers: [{ key: 'age', value: 1 }] })).errors).toEqual([]);
    expect(await forms.submit(form.id, { ...first, respondent: { mobile: '+14155550101' } })).toMatch(/^resp_/);
    await forms.updateForm(form.id, { status: 'CLOSED' });
    expect((await amend({ responseId, expectedRevision: 2, respondent: { mobile: '+14155550101' } })).errors).toEqual([]);
  });

  test('of a response of another organisation, a deleted form or nobody is not found', async () => {
    const { form, responseId } = await submitted();
    const { token } = await forms.api.register(`other${Date.now()}`);
    const codes = async (input: Record<string, unknown>, as?: string) => (await amend({ expectedRevision: 1, ...input }, as)).errors.map(({ code }: { code: string }) => code);
    expect(await codes({ responseId }, token)).toEqual(['NOT_FOUND']);
    expect(await codes({ responseId: 'resp_no' })).toEqual(['NOT_FOUND']);
    await forms.run('deleteForm', { id: form.id });
    expect(await codes({ responseId })).toEqual(['NOT_FOUND']);
  });

  test('by a key that may only write responses is made, and shows nothing of what it did not send', async () => {
    const { responseId } = await submitted();
    const { key } = await forms.run('createApiKey', { name: 'Import', scopes: ['RESPONSES_WRITE'] }, { selection: 'key' });
    expect(await amend({ responseId, expectedRevision: 1, answers: [{ key: 'age', value: 7 }] }, key)).toEqual({ response: null, errors: [] });
    expect((await amend({ responseId, expectedRevision: 2 })).response.answers).toHaveLength(3);
  });
});

describe('the client id of an amendment', () => {
  test('sent again answers the first result, whatever has become of the response since', async () => {
    const { responseId } = await submitted();
    const input = { responseId, expectedRevision: 1, clientId: 'a1', answers: [{ key: 'age', value: 1 }] };
    const one = await amend(input);
    await amend({ responseId, expectedRevision: 2, answers: [{ key: 'age', value: 2 }] });
    expect((await amend(input)).response).toEqual(one.response);
    const { rows } = await forms.api.pool.query('select count(*)::int as count from outbox where form_id = (select form_id from responses where id = $1)', [responseId]);
    expect(rows[0].count).toBe(3);
  });

  test.for([
    ['other answers', { answers: [{ key: 'age', value: 2 }] }],
    ['another expected revision', { expectedRevision: 2 }],
    ['a respondent that is taken away instead of kept', { respondent: null }],
  ] as const)('sent with %s is refused', async ([, change]) => {
    const { responseId } = await submitted();
    const input = { responseId, expectedRevision: 1, clientId: 'a1', answers: [{ key: 'age', value: 1 }] };
    await amend(input);
    expect((await amend({ ...input, ...change })).errors).toMatchObject([{ code: 'IDEMPOTENCY_MISMATCH', path: ['clientId'] }]);
  });

  test('is no submission’s, nor the other way round', async () => {
    const { form, responseId } = await submitted({}, { ...first, clientId: 's1' });
    expect((await amend({ responseId, expectedRevision: 1, clientId: 's1', ...first })).errors).toMatchObject([{ code: 'IDEMPOTENCY_MISMATCH' }]);
    await amend({ responseId, expectedRevision: 1, clientId: 'a1', ...first });
    expect(await forms.submit(form.id, { ...first, familyId: responseId, clientId: 'a1' })).toBe('IDEMPOTENCY_MISMATCH clientId');
  });
});

test('of editors who amend the same revision at once, in several processes, exactly one gets through', async () => {
  const { api, organizationId } = forms;
  const { form, responseId } = await submitted();
  await using others = openOtherSubmitter(api.databaseUrl);
  const pool = openTestPool(api.databaseUrl);
  const processes = [{ pool: api.pool, forms: api.published, checks: openChecks(api.pool) }, { pool, forms: createPublishedForms({ pool }), checks: openChecks(pool) }];
  const events: string[] = [];
  const attempt = async (editor: number, expectedRevision: number): Promise<string> => {
    const deps = { ...processes[editor % 2]!, onCommitted: (all: readonly { type: string }[]) => void events.push(...all.map(({ type }) => type)) };
    const input = { responseId, expectedRevision, answers: [{ key: 'age', value: editor }] };
    return amendResponse(deps, { viewer: editorOf(organizationId as Id<'org'>), input }).then(
      ({ revision }) => `revision ${revision}`,
      (error: unknown) => (error instanceof UserError ? (error.faults[0]?.code ?? '') : String(error)),
    );
  };
  for (let revision = 1; revision <= 20; revision += 1) {
    const results = await Promise.all(Array.from({ length: 6 }, (_, editor) => attempt(editor, revision)));
    expect(results.toSorted()).toEqual([...Array.from({ length: 5 }, () => 'REVISION_CONFLICT'), `revision ${revision + 1}`]);
  }
  // a resubmission takes its number among them, and neither is lost
  const [resubmitted, ...results] = await Promise.all([
    others.submitter.submit({ formId: form.id, familyId: responseId, answers: first.answers }),
    ...Array.from({ length: 6 }, (_, editor) => attempt(editor, 21)),
  ]);
  const won = results.filter((result) => result === 'revision 22').length;
  expect(won).toBeLessThanOrEqual(1);
  expect(resubmitted.revision).toBe(22 + won);
  const { rows } = await api.pool.query('select revision from responses where family_id = $1 order by revision', [responseId]);
  expect(rows.map((row) => row.revision)).toEqual(Array.from({ length: 22 + won }, (_, index) => index + 1));
  expect(events).toEqual(Array.from({ length: 20 + won }, () => 'response.amended'));
  await pool.end();
});
