import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openOtherSubmitter, startFormsApi, type FormsApi } from '../support/forms-api.ts';

let forms: FormsApi;
beforeAll(async () => void (forms = await startFormsApi()));
afterAll(() => forms[Symbol.asyncDispose]());

const response = expect.stringMatching(/^resp_/);
const answers = [{ key: 'q', value: 'a' }];
const responsesOf = async (formId: string): Promise<number> =>
  (await forms.api.pool.query('select count(*)::int as count from responses where form_id = $1', [formId])).rows[0].count;

describe.for([
  { per: 'MOBILE', member: 'mobile', first: '+91 98100 00017', same: '+919810000017', other: '+919810000018', bad: ['9810000017', '+1 415 555 0100 ext 5', '+'] },
  { per: 'EMAIL', member: 'email', first: 'Ada@Example.org', same: 'ada@example.org', other: 'eve@example.org', bad: ['ada', 'ada@'] },
  { per: 'KEY', member: 'key', first: 'household 7', same: 'household 7', other: 'Household 7', bad: [''] },
] as const)('a form that takes one response per $member', ({ per, member, first, same, other, bad }) => {
  const respond = (formId: string, value?: string, more = {}) => forms.submit(formId, { ...(value !== undefined && { respondent: { [member]: value } }), ...more });

  test('refuses the second of a respondent, and takes those of others', async () => {
    const { id, oneResponsePer } = await forms.createForm({ oneResponsePer: per }, 'id oneResponsePer');
    expect(oneResponsePer).toBe(per);
    expect([await respond(id, first), await respond(id, same), await respond(id, other)]).toEqual([response, `ALREADY_SUBMITTED respondent.${member}`, response]);
  });

  test('needs to know the respondent', async () => {
    const { id } = await forms.createForm({ oneResponsePer: per });
    expect(await forms.submit(id)).toBe(`INVALID_INPUT respondent.${member}`);
    for (const value of bad) expect(await respond(id, value)).toBe(`INVALID_INPUT respondent.${member}`);
  });

  test('answers a repeat of an accepted client id with the first response', async () => {
    const { id } = await forms.createForm({ oneResponsePer: per });
    const accepted = await respond(id, first, { clientId: 'c' });
    expect(await respond(id, first, { clientId: 'c' })).toBe(accepted);
    expect(await respond(id, first, { clientId: 'd' })).toBe(`ALREADY_SUBMITTED respondent.${member}`);
  });
});

test('one respondent may respond to each form, and further revisions are theirs', async () => {
  const respondent = { key: 'r' };
  for (const { id } of [await forms.createForm({ oneResponsePer: 'KEY' }), await forms.createForm({ oneResponsePer: 'KEY' })]) {
    const familyId = await forms.submit(id, { respondent });
    expect(familyId).toEqual(response);
    expect(await forms.submit(id, { familyId, respondent })).toEqual(response);
    expect(await forms.submit(id, { familyId })).toEqual(response);
    expect(await forms.submit(id, { respondent })).toBe('ALREADY_SUBMITTED respondent.key');
  }
});

test('the rule counts what was taken under it', async () => {
  const { id } = await forms.createForm();
  const respondent = { key: 'r' };
  expect([await forms.submit(id, { respondent }), await forms.submit(id, { respondent })]).toEqual([response, response]);
  await forms.updateForm(id, { oneResponsePer: 'KEY' });
  expect([await forms.submit(id, { respondent }), await forms.submit(id, { respondent })]).toEqual([response, 'ALREADY_SUBMITTED respondent.key']);
  await forms.updateForm(id, { oneResponsePer: null });
  expect(await forms.submit(id, { respondent })).toEqual(response);
});

test('of one respondent’s responses through two processes at once, one is taken, and no place is lost to the others', async () => {
  await using one = openOtherSubmitter(forms.api.databaseUrl);
  await using other = openOtherSubmitter(forms.api.databaseUrl);
  const { id: formId } = await forms.createForm({ oneResponsePer: 'KEY', maxResponses: 40 });
  const inputs = Array.from({ length: 200 }, (_, index) => ({ formId, answers, respondent: { key: String(index % 40) } }));
  const results = (await Promise.all([one.submitter.submitMany(inputs), other.submitter.submitMany(inputs.toReversed())])).flat();
  expect(results.filter((result) => 'response' in result)).toHaveLength(40);
  expect(await responsesOf(formId)).toBe(40);
  const codes = results.flatMap((result) => ('faults' in result ? result.faults.map(({ code }) => code) : []));
  expect(codes.filter((code) => code !== 'ALREADY_SUBMITTED' && code !== 'FORM_FULL')).toEqual([]);
});

test('a response tells the key its collector gave', async () => {
  const { id } = await forms.createForm();
  const responseId = await forms.submit(id, { respondent: { key: 'k', name: 'N' } });
  const read = await forms.api.gql('query ($id: ID!) { response(id: $id) { respondent { key name } } }', { id: responseId }, forms.token);
  expect(read).toEqual({ response: { respondent: { key: 'k', name: 'N' } } });
});
