import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Id } from '../../src/events/id.ts';
import { startDeliveryApi, type DeliveryApi, type Owner } from '../support/delivery-api.ts';
import { householdResponses, householdRules } from '../support/household.ts';

let api: DeliveryApi;
let owner: Owner;
beforeAll(async () => {
  api = await startDeliveryApi();
  owner = await api.newOwner();
});
afterAll(() => api[Symbol.asyncDispose]());

const call = async (name: string, input: object, selection: string) => {
  const type = `${name.charAt(0).toUpperCase()}${name.slice(1)}Input`;
  return (await api.gql(`mutation ($input: ${type}!) { ${name}(input: $input) { ${selection} errors { code message path } } }`, { input }, owner.token))[name];
};
const tested = 'checked endCursor rules { rule flagged refused } responses { responseId findings { severity rule message keys } }';
const testRules = (input: object) => call('testRules', input, tested);
const submitAll = async (responses: readonly object[]): Promise<{ id: string; clientId: string }[]> => {
  const { results } = await call('submitResponses', { responses }, 'results { response { id clientId } errors { message } }');
  return results.map(({ response, errors }: { response: { id: string; clientId: string }; errors: unknown[] }) => response ?? expect.fail(JSON.stringify(errors)));
};

describe('the household survey', () => {
  let formId: Id<'form'>;
  let clientIds: Map<string, string>;
  beforeAll(async () => {
    formId = (await api.newForm(owner)).id;
    clientIds = new Map((await submitAll(householdResponses(formId))).map(({ id, clientId }) => [id, clientId]));
  });
  const { rules, broken } = householdRules();
  const dump = async () => (await api.pool.query(`select (select count(*) from outbox), (select count(*) from integrations), (select jsonb_agg(r) from responses r), (select jsonb_agg(f) from forms f)`)).rows;

  test('has what its rules would flag before they are saved, and nothing is changed by it', async () => {
    const before = await dump();
    const { checked, endCursor, rules: counts, responses, errors } = await testRules({ formId, rules });
    expect(errors).toEqual([]);
    expect({ checked, endCursor }).toEqual({ checked: 500, endCursor: null });
    expect(counts).toEqual([{ rule: 'expenditure_covers_parts', flagged: 45, refused: 0 }, { rule: 'savings_within_income', flagged: 34, refused: 0 }]);
    expect(responses).toHaveLength(50);
    for (const { responseId, findings } of responses) {
      expect(findings.map(({ rule }: { rule: string }) => rule)).toEqual(broken.get(clientIds.get(responseId) ?? ''));
    }
    expect(await dump()).toEqual(before);
  });

  test('is gone through part by part, in the order it came in', async () => {
    const seen: string[] = [];
    let [after, checked]: [string | null, number] = [null, 0];
    do {
      const part = await testRules({ formId, rules, first: 130, after });
      seen.push(...part.responses.map(({ responseId }: { responseId: string }) => responseId));
      checked += part.checked;
      after = part.endCursor;
    } while (after !== null);
    expect(checked).toBe(500);
    expect(seen).toEqual([...clientIds.keys()].filter((id) => broken.get(clientIds.get(id) ?? '')?.length).toSorted());
  });
});

describe('rules that are tried', () => {
  let formId: Id<'form'>;
  let questions: { id: string; key: string }[];
  beforeEach(async () => {
    const form = await api.newForm(owner, [{ key: 'income', text: 'Income?', kind: 'INTEGER' }, { key: 'note', text: 'Note?', kind: 'TEXT' }]);
    ({ id: formId, questions } = form);
    await submitAll([{ formId, clientId: 'a', answers: [{ key: 'income', value: 5 }, { key: 'note', value: 'x' }] }]);
  });
  const positive = { name: 'rich', expression: 'income > 10', message: '{{ income }} is little.', severity: 'REFUSE' };

  test('say what would be refused, and with which words', async () => {
    const { rules, responses } = await testRules({ formId, rules: [positive] });
    expect(rules).toEqual([{ rule: 'rich', flagged: 0, refused: 1 }]);
    expect(responses).toMatchObject([{ findings: [{ severity: 'REFUSE', rule: 'rich', message: '5 is little.', keys: ['income'] }] }]);
  });

  test('see a response as it is now, not as it was', async () => {
    const { rows } = await api.pool.query('select id from responses where form_id = $1', [formId]);
    await call('amendResponse', { responseId: rows[0].id, expectedRevision: 1, answers: [{ key: 'income', value: 11 }] }, 'response { id }');
    expect(await testRules({ formId, rules: [positive] })).toMatchObject({ checked: 1, responses: [] });
  });

  test('take an answer that does not fit the form any more for none', async () => {
    const note = questions.find(({ key }) => key === 'note')!;
    await call('updateQuestion', { id: note.id, kind: 'INTEGER' }, 'question { id }');
    const rule = { ...positive, expression: 'note < 0', severity: 'FLAG', message: 'Note: {{ note }}.' };
    expect((await testRules({ formId, rules: [rule] })).responses).toMatchObject([{ findings: [{ message: 'Note: 0.' }] }]);
  });

  test('and make no sense are refused with every fault at its place', async () => {
    const { checked, errors } = await testRules({ formId, rules: [{ ...positive, expression: 'incom > 1' }, { ...positive, name: 'b', message: '{{ incom }}' }] });
    expect(checked).toBeNull();
    expect(errors).toMatchObject([
      { code: 'INVALID_INPUT', path: ['rules', '0', 'expression'] },
      { code: 'INVALID_INPUT', path: ['rules', '1', 'message'] },
    ]);
    expect((await testRules({ formId, rules: [positive, positive] })).errors).toMatchObject([{ path: ['rules'], message: 'Every rule needs a name of its own.' }]);
    expect((await testRules({ formId, rules: [] })).errors).toMatchObject([{ path: ['rules'] }]);
  });

  test.for([
    ['no response', { first: 0 }, 'first'],
    ['more than a thousand', { first: 1_001 }, 'first'],
    ['what is no cursor', { after: 'x' }, 'after'],
  ] as const)('on %s are refused', async ([, input, member]) => {
    expect((await testRules({ formId, rules: [positive], ...input })).errors).toMatchObject([{ code: 'INVALID_INPUT', path: [member] }]);
  });

  test('on somebody else’s form are refused', async () => {
    const { token } = await api.newOwner();
    const { testRules: payload } = await api.gql(`mutation ($input: TestRulesInput!) { testRules(input: $input) { checked errors { code path } } }`, { input: { formId, rules: [positive] } }, token);
    expect(payload).toEqual({ checked: null, errors: [{ code: 'NOT_FOUND', path: ['formId'] }] });
  });

  test('four times in one operation, but not five', async () => {
    const one = (index: number) => `t${index}: testRules(input: $input) { checked }`;
    const post = (count: number) =>
      api.post({ query: `mutation ($input: TestRulesInput!) { ${Array.from({ length: count }, (_, index) => one(index)).join(' ')} }`, variables: { input: { formId, rules: [positive] } } }, { token: owner.token });
    expect((await post(4)).body.errors).toBeUndefined();
    expect((await post(5)).body.errors).toMatchObject([{ extensions: { code: 'TOO_COSTLY' } }]);
  });
});

test('does not keep the process from others, however long the rules take', async () => {
  const questions = [{ key: 'note', text: 'Note', kind: 'LONG_TEXT' }];
  const { form } = await call('createForm', { title: 'Notes', questions }, 'form { id }');
  await submitAll(Array.from({ length: 40 }, () => ({ formId: form.id, answers: [{ key: 'note', value: 'yx'.repeat(10_000) }] })));
  const slow = { name: 'slow', expression: "note == ''", message: '{{ note | split: "" | sort_natural | size }}' };

  let [longest, last, isOver] = [0, performance.now(), false];
  const began = last;
  const testing = testRules({ formId: form.id, rules: [slow] }).finally(() => (isOver = true));
  while (!isOver) {
    await nextTurn();
    const now = performance.now();
    [longest, last] = [Math.max(longest, now - last), now];
  }
  expect((await testing).rules[0]).toEqual({ rule: 'slow', flagged: 40, refused: 0 });
  expect(longest).toBeLessThan((last - began) / 3);
});
