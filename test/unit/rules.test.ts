import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { QuestionShape } from '../../integrations/provider.ts';
import { prepareRules, unfitRules } from '../../integrations/rules/rules.ts';
import { rulesSettings } from '../../integrations/rules/settings.ts';
import { newId } from '../../src/events/id.ts';
import type { Value } from '../../src/expressions/value-type.ts';
import { formShape } from '../support/call-context.ts';

const question = (key: string, kind: QuestionShape['kind'], choices: string[] = []): QuestionShape => ({ id: newId('q'), key, kind, text: key, choices: choices.map((text) => ({ text })) });
const form = formShape({
  title: 'Budget',
  questions: [question('income', 'INTEGER'), question('spent', 'DECIMAL'), question('city', 'SINGLE_CHOICE', ['Pune', 'Delhi']), question('note', 'TEXT')],
});
const rule = { name: 'affordable', expression: 'spent <= income', message: 'You have spent {{ spent }} of {{ income }}.' };

const prepared = (changes: Record<string, unknown> = {}, shape = form) => prepareRules(rulesSettings.parse({ rules: [{ ...rule, ...changes }] }), shape);
const findings = (answers: Record<string, Value>, changes: Record<string, unknown> = {}) => prepared(changes)(new Map(Object.entries(answers)));

describe('a rule', () => {
  test('that holds has nothing against a response', () => {
    expect(findings({ income: 100, spent: 99.5 })).toEqual([]);
  });

  test('that does not hold flags the response, with a message that has the answers in it', () => {
    expect(findings({ income: 100, spent: 100.5 })).toEqual([
      { severity: 'flag', rule: 'affordable', message: 'You have spent 100.5 of 100.', keys: ['spent', 'income'] },
    ]);
  });

  test('says so in words of its own where its message is blank with these answers', () => {
    expect(findings({ income: 1, spent: 2 }, { message: '{{ note }}' })).toMatchObject([{ message: 'The rule "affordable" does not hold.' }]);
  });

  test('can refuse instead', () => {
    expect(findings({ income: 1, spent: 2 }, { severity: 'refuse' })).toMatchObject([{ severity: 'refuse' }]);
  });

  test('takes a missing number for 0', () => {
    expect(findings({ spent: 5 })).toMatchObject([{ rule: 'affordable' }]);
    expect(findings({ income: 5 })).toEqual([]);
  });

  test('does not apply where a number is missing, if it says so', () => {
    expect(findings({ spent: 5 }, { missingNumbers: 'skip' })).toEqual([]);
  });

  test('does not apply where another answer is missing', () => {
    expect(findings({ spent: 5 }, { expression: "city == 'Pune'" })).toEqual([]);
    expect(findings({ city: 'Delhi' }, { expression: "city == 'Pune'" })).toHaveLength(1);
  });

  test('without a result for these numbers is reported as a flag, also where it refuses', () => {
    expect(findings({ income: 0, spent: 1 }, { expression: 'spent / income > 1.0', severity: 'refuse' })).toEqual([
      { severity: 'flag', rule: 'affordable', message: 'The rule "affordable" has no result for these numbers.', keys: ['spent', 'income'] },
    ]);
  });

  test('cannot be made to take long by an answer', () => {
    const changes = { expression: "note.matches('(a+)+$')", message: '{{ note }}' };
    const began = process.cpuUsage();
    findings({ note: `${'a'.repeat(900)}!` }, changes);
    const { user } = process.cpuUsage(began);
    const plain = process.cpuUsage();
    findings({ note: 'b'.repeat(901) }, changes);
    expect(user).toBeLessThan(100 * Math.max(process.cpuUsage(plain).user, 1_000));
  });

  test('shares with the others what their messages may take, and says afterwards only that it does not hold', () => {
    const settings = rulesSettings.parse({ rules: Array.from({ length: 50 }, (_, index) => ({ ...rule, name: `rule_${index}`, expression: 'false', message: '{{ note | upcase }}' })) });
    const found = prepareRules(settings, form)(new Map([['note', 'x'.repeat(50_000)]]));
    expect(found).toHaveLength(50);
    expect(found.filter(({ message }) => message.startsWith('XXX'))).toHaveLength(2);
    expect(found.at(-1)?.message).toBe('The rule "rule_49" does not hold.');
  });
});

describe('a rule that does not fit the form', () => {
  test.each([
    ['names a question that is not there', { expression: 'spend <= income' }, ['rules', 0, 'expression'], /no question with the key "spend"/],
    ['compares what cannot be compared', { expression: "income > 'much'" }, ['rules', 0, 'expression'], /compared/],
    ['is neither true nor false', { expression: 'income + spent' }, ['rules', 0, 'expression'], /true or false/],
    ['has a message about something else', { message: '{{ spend }}' }, ['rules', 0, 'message'], /no "spend"/],
    ['names a choice that is not there', { expression: "city == 'Poona'" }, ['rules', 0, 'expression'], /no choice "Poona"/],
  ])('is a fault where it %s', (_, changes, path, message) => {
    const settings = rulesSettings.parse({ rules: [{ ...rule, ...changes }] });
    expect(unfitRules(settings, form)).toEqual([{ path, message: expect.stringMatching(message) }]);
  });

  test('any more, since the form has changed, flags every response and says why', () => {
    const changed = { ...form, questions: form.questions.slice(1) };
    expect(prepared({}, changed)(new Map([['spent', 1]]))).toEqual([
      { severity: 'flag', rule: 'affordable', message: expect.stringMatching(/^The rule "affordable" cannot be checked any more: .*"income"/), keys: [] },
    ]);
  });
});

describe('settings of rules', () => {
  const messageOf = (settings: unknown): string | undefined => rulesSettings.safeParse(settings).error?.issues[0]?.message;
  const many = (count: number) => ({ rules: Array.from({ length: count }, (_, index) => ({ ...rule, name: `rule_${index}` })) });

  test('have 1 to 50 rules', () => {
    expect(messageOf(many(0))).toMatch(/at least one/);
    expect(messageOf(many(50))).toBeUndefined();
    expect(messageOf(many(51))).toMatch(/At most 50/);
  });

  test('have each name once', () => {
    expect(messageOf({ rules: [rule, rule] })).toMatch(/name of its own/);
  });
});

describe('the household survey', () => {
  interface Survey {
    title: string;
    questions: { key: string; text: string; kind: QuestionShape['kind']; choices?: string[] }[];
    rules: { key: string; expression: string; message: string }[];
  }
  const folder = new URL('../../src/bin/demo/', import.meta.url);
  const survey = JSON.parse(readFileSync(new URL('household-form.json', folder), 'utf8')) as Survey;
  const responses = readFileSync(new URL('household-responses.jsonl', folder), 'utf8').trim().split('\n').map((line) => JSON.parse(line) as { answers: Record<string, Value>; expectFlags: string[] });

  test('has exactly the flags that its data says: 45 and 34', () => {
    const shape = formShape({ questions: survey.questions.map((one) => question(one.key, one.kind, one.choices)) });
    const settings = rulesSettings.parse({ rules: survey.rules.map(({ key, expression, message }) => ({ name: key, expression, message })) });
    const check = prepareRules(settings, shape);
    expect(unfitRules(settings, shape)).toEqual([]);
    const flags = responses.map(({ answers }) => check(new Map(Object.entries(answers))).map((finding) => finding.rule));
    expect(flags).toEqual(responses.map(({ expectFlags }) => expectFlags));
    const count = (name: string) => flags.flat().filter((flag) => flag === name).length;
    expect(survey.rules.map(({ key }) => count(key)).toSorted((a, b) => a - b)).toEqual([34, 45]);
  });
});
