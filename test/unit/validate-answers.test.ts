import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Json } from '../../src/events/canonical-json.ts';
import { questionKinds, type QuestionDefinition } from '../../src/forms/form-definition.ts';
import { compileForm } from '../../src/responses/compile-form.ts';
import type { AnswerInput } from '../../src/responses/submission.ts';
import { validateAnswers } from '../../src/responses/validate.ts';
import type { Fault } from '../../src/user-error.ts';
import { householdDefinition, householdResponses } from '../support/household.ts';
import { definitionOf, question } from '../support/question.ts';

/** What is stored of one value of one question, or the faults. */
function storedValue(asked: QuestionDefinition, value: Json | undefined): unknown {
  const result = check([asked], [{ key: asked.key, value }]);
  return 'faults' in result ? result.faults : result.answers[asked.id]?.value;
}

const check = (questions: QuestionDefinition[], answers: AnswerInput[]) => validateAnswers(compileForm(definitionOf(...questions)), answers);

function faultsOf(questions: QuestionDefinition[], answers: AnswerInput[]): Fault[] {
  const result = check(questions, answers);
  if (!('faults' in result)) throw new Error('expected faults');
  return result.faults;
}

const codesAndPaths = (faults: Fault[]) => faults.map(({ code, path }) => [code, path.join('.')]);

const invalidAt = (path = 'answers.0.value') => [expect.objectContaining({ code: 'ANSWER_INVALID', path: path.split('.').map((part) => (/^\d+$/.test(part) ? Number(part) : part)) })];

describe('the question of an answer', () => {
  const age = question('INTEGER', { key: 'age', text: 'How old are you?' });

  test.for([
    ['id', { questionId: age.id }],
    ['key', { key: 'age' }],
    ['exact text', { question: 'How old are you?' }],
    ['key beside members that are null', { key: 'age', questionId: null, question: null }],
  ] as const)('is found by its %s', ([, name]) => {
    expect(check([age], [{ ...name, value: 7 }])).toEqual({ answers: { [age.id]: { value: 7 } } });
  });

  test('is unknown when the text differs by a letter', () => {
    expect(codesAndPaths(faultsOf([age], [{ question: 'how old are you?', value: 7 }]))).toEqual([['QUESTION_UNKNOWN', 'answers.0.question']]);
  });

  test('is never one of the names every JavaScript object has', () => {
    const names = ['__proto__', 'constructor', 'toString'];
    const faults = faultsOf([age], names.map((key) => ({ key, value: 1 })));
    expect(codesAndPaths(faults)).toEqual(names.map((_, index) => ['QUESTION_UNKNOWN', `answers.${index}.key`]));
  });

  test('must be named by exactly one of id, key and text', () => {
    const faults = faultsOf([age], [{ value: 1 }, { key: 'age', questionId: age.id, value: 1 }]);
    expect(codesAndPaths(faults)).toEqual([['INVALID_INPUT', 'answers.0'], ['INVALID_INPUT', 'answers.1']]);
  });

  test('is ambiguous when two questions have the text, and only then', () => {
    const twins = [question('TEXT', { key: 'a', text: 'Why?' }), question('TEXT', { key: 'b', text: 'Why?' })];
    expect(codesAndPaths(faultsOf(twins, [{ question: 'Why?', value: 'x' }]))).toEqual([['QUESTION_AMBIGUOUS', 'answers.0.question']]);
    expect(check(twins, [{ key: 'b', value: 'x' }])).toHaveProperty('answers');
  });

  test('takes one answer, and a second is a fault even when the first is null', () => {
    const faults = faultsOf([age], [{ key: 'age', value: null }, { questionId: age.id, value: 1 }]);
    expect(codesAndPaths(faults)).toEqual([['ANSWER_REPEATED', 'answers.1']]);
  });
});

describe('a required question', () => {
  const name = question('TEXT', { key: 'name', text: 'What is your name?', required: true });

  test('that was not sent is a fault of the answers, with its key and text', () => {
    const [fault] = faultsOf([name], []);
    expect(fault).toMatchObject({ code: 'ANSWER_REQUIRED', path: ['answers'] });
    expect(fault?.message).toContain('name');
    expect(fault?.message).toContain('What is your name?');
  });

  test.for([null, undefined, [], ' \n\t'])('is not answered by %j, which is a fault of that value', (value) => {
    expect(codesAndPaths(faultsOf([name], [{ key: 'name', value }]))).toEqual([['ANSWER_REQUIRED', 'answers.0.value']]);
  });
});

test('an optional question left empty is stored as no answer', () => {
  const uses = question('MULTIPLE_CHOICE', { key: 'uses', choices: ['Bus'] });
  const remarks = question('TEXT', { key: 'remarks' });
  expect(check([uses, remarks], [{ key: 'uses', value: [] }, { key: 'remarks', value: null }])).toEqual({ answers: {} });
});

describe('a text', () => {
  const text = question('TEXT');
  test.for(['', '  ', '=1+1', '👩‍👩‍👧', 'x'.repeat(50_000)])('is kept as sent (%#)', (value) => expect(storedValue(text, value)).toBe(value));
  test.for(['x'.repeat(50_001), 'a\u0000b', '\ud800', 7, true, ['a'], { a: 1 }])('is refused (%#)', (value) =>
    expect(storedValue(text, value as Json)).toEqual(invalidAt()));
});

describe('a whole number', () => {
  const age = question('INTEGER', { min: 0, max: 130 });
  test.for([0, -0, 130, 7])('may be %d', (value) => expect(storedValue(age, value)).toBe(value));
  test.for(['7', '', 1.5, -1, 131, Number.NaN, Infinity, 2 ** 53, true, [7]])('may not be %j', (value) =>
    expect(storedValue(age, value)).toEqual(invalidAt()));
  test('in quotes is refused with what is wrong', () =>
    expect(storedValue(age, '52000')).toEqual([expect.objectContaining({ message: 'q must be a whole number; "52000" is a text.' })]));
});

describe('a decimal number', () => {
  const amount = question('DECIMAL', { min: -0.5, max: 1e21 });
  test.for([0.1, -0.5, 1e21, 5e-324, 2 ** 60])('may be %d', (value) => expect(storedValue(amount, value)).toBe(value));
  test.for(['0.1', Number.NaN, Infinity, -Infinity, -0.50001, 1.1e21, null])('may not be %j', (value) =>
    expect(storedValue(question('DECIMAL', { ...amount, choices: [], required: true }), value)).toEqual([
      expect.objectContaining({ path: ['answers', 0, 'value'] }),
    ]));
});

describe('yes or no', () => {
  test.for([true, false])('is %j', (value) => expect(storedValue(question('BOOLEAN'), value)).toBe(value));
  test.for(['true', 0, 1, 'yes'])('is not %j', (value) => expect(storedValue(question('BOOLEAN'), value)).toEqual(invalidAt()));
});

describe('a date', () => {
  const date = question('DATE');
  test.for(['2024-02-29', '2000-02-29', '0001-01-01', '9999-12-31', '2026-11-30'])('may be %s', (value) => expect(storedValue(date, value)).toBe(value));
  test.for(['2023-02-29', '1900-02-29', '2026-11-31', '2026-13-01', '2026-00-10', '2026-01-00', '0000-01-01', '2026-1-1', '26-01-01', '2026-01-01T00:00:00Z', '２０２６-01-01', '2026/01/01', ''])(
    'may not be %s',
    (value) => expect(storedValue(date, value)).toEqual(invalidAt()),
  );
});

describe('an e-mail address', () => {
  const email = question('EMAIL');
  test.for(['a@b.co', 'first.last+tag@sub.example.org', "o'brien@example.org", '用户@例え.jp', `${'a'.repeat(64)}@${'b'.repeat(63)}.org`])('may be %s', (value) =>
    expect(storedValue(email, value)).toBe(value));
  test.for([
    '', 'a', '@b.co', 'a@', 'a@b', 'a b@c.de', 'a@b..de', '.a@b.de', 'a.@b.de', 'a..b@c.de', 'a@-b.de', 'a@b-.de', 'a@b@c.de',
    'a\u0000@b.de', 'a\n@b.de', ' a@b.de', '"a b"@c.de', 'a@[127.0.0.1]', `${'a'.repeat(65)}@b.de`, `a@${'b.'.repeat(126)}de`, '\ud800@b.de',
  ])('may not be %j', (value) => expect(storedValue(email, value)).toEqual(invalidAt()));
});

describe('a phone number', () => {
  const phone = question('PHONE');
  test.for([
    ['+919810000017', '+919810000017'],
    ['+91 (98100) 000-17', '+919810000017'],
    ['+1 415-555-0100', '+14155550100'],
  ])('%s is kept as %s', ([sent, kept]) => expect(storedValue(phone, sent)).toBe(kept));
  test.for(['9810000017', '', '+', '+1', '+999 123 456', 'call +14155550100', '+1 415 555 0100 ext 5', '+1415555010012345', `+1${' '.repeat(100)}4155550100`, 14155550100])(
    'may not be %j',
    (value) => expect(storedValue(phone, value)).toEqual(invalidAt()),
  );
});

describe('a time of day', () => {
  const time = question('TIME', { constraints: { earliest: '08:00:00', latest: '17:30:00' } });
  test.for([['08:00', '08:00:00'], ['17:30:00', '17:30:00'], ['12:59:59', '12:59:59']])('%s is kept as %s', ([sent, kept]) => expect(storedValue(time, sent)).toBe(kept));
  test.for(['07:59:59', '17:30:01', '8:00', '24:00', '12:60', '12:00:60', '12:00:00Z', '12-00', '', '１２:00', 1200])('may not be %j', (value) =>
    expect(storedValue(time, value)).toEqual(invalidAt()));
});

describe('a date within bounds', () => {
  const date = question('DATE', { constraints: { earliest: '2026-01-01', latest: '2026-12-31' } });
  test.for(['2026-01-01', '2026-12-31'])('may be %s', (value) => expect(storedValue(date, value)).toBe(value));
  test.for(['2025-12-31', '2027-01-01'])('may not be %s', (value) => expect(storedValue(date, value)).toEqual(invalidAt()));
});

describe('a moment', () => {
  const moment = question('DATE_TIME', { constraints: { earliest: '2026-01-01T00:00:00.000Z', latest: '2026-12-31T23:59:59.999Z' } });
  test.for([
    ['2026-01-01T05:30:00+05:30', '2026-01-01T00:00:00.000Z'],
    ['2026-12-31T23:59:59.999Z', '2026-12-31T23:59:59.999Z'],
  ])('%s is kept as %s', ([sent, kept]) => expect(storedValue(moment, sent)).toBe(kept));
  test.for(['2026-01-01T05:29:59.999+05:30', '2027-01-01T00:00:00Z', '2026-02-29T00:00:00Z', '2026-01-01', '2026-01-01T00:00:00', ''])('may not be %j', (value) =>
    expect(storedValue(moment, value)).toEqual(invalidAt()));
  test('may not leave the years of four digits by its offset, which would sort it wrongly', () =>
    expect(storedValue(question('DATE_TIME'), '9999-12-31T23:59:59-01:00')).toEqual(invalidAt()));
});

describe('an address of the web', () => {
  const url = question('URL');
  test.for(['https://example.org', 'HTTP://example.org:8080/a?b=c#d', 'https://例え.jp/パス', `https://example.org/${'a'.repeat(2_028)}`])('may be %#', (value) =>
    expect(storedValue(url, value)).toBe(value));
  test.for(['', 'example.org', '//example.org', 'ftp://example.org', 'javascript:alert(1)', 'https://', 'https://a b', 'https://exa\nmple.org', 'https:\\\\example.org', `https://example.org/${'a'.repeat(2_029)}`, 7])(
    'may not be %j',
    (value) => expect(storedValue(url, value)).toEqual(invalidAt()),
  );
});

describe('a rating', () => {
  const rating = question('RATING', { min: 1, max: 5 });
  test.for([1, 5])('may be %d', (value) => expect(storedValue(rating, value)).toBe(value));
  test.for([0, 6, 2.5, '3', true])('may not be %j', (value) => expect(storedValue(rating, value)).toEqual(invalidAt()));
});

describe('a place', () => {
  const place = question('GEO_POINT');
  test.for([
    { latitude: 18.52, longitude: 73.86 },
    { latitude: -90, longitude: 180, accuracy: 0, altitude: -12.5 },
  ])('may be %j', (value) => expect(storedValue(place, value)).toEqual(value));
  test('is kept without what it does not say', () =>
    expect(storedValue(place, { latitude: 1, longitude: 2, accuracy: null })).toEqual({ latitude: 1, longitude: 2 }));
  test.for([
    {}, { latitude: 1 }, { latitude: null, longitude: 1 }, { latitude: 90.1, longitude: 0 }, { latitude: 0, longitude: -180.1 }, { latitude: '1', longitude: 2 },
    { latitude: 1, longitude: 2, height: 3 }, { latitude: 1, longitude: 2, accuracy: -1 }, { latitude: Number.NaN, longitude: 2 }, { latitude: 1, longitude: 2, ['__proto__']: 1 }, [1, 2], '1, 2', 3, true,
  ])('may not be %j', (value) => expect(storedValue(place, value as Json)).toEqual(invalidAt()));
});

describe('a decimal number with at most two decimals', () => {
  const price = question('DECIMAL', { constraints: { decimals: 2 } });
  test.for([0, 1, 1.5, 1.25, -1.25, 1e21, 100, 123456789012345.67])('may be %d', (value) => expect(storedValue(price, value)).toBe(value));
  test.for([1.255, 1e-7, 1.5e-7, 0.1 + 0.2])('may not be %d', (value) => expect(storedValue(price, value)).toEqual(invalidAt()));
  test('may have none at all', () => {
    const whole = question('DECIMAL', { constraints: { decimals: 0 } });
    expect([storedValue(whole, 7), storedValue(whole, 7.1)]).toEqual([7, invalidAt()]);
  });
});

describe('a text of a length and pattern', () => {
  const pan = question('TEXT', { constraints: { pattern: '[A-Z]{5}[0-9]{4}[A-Z]' } });
  const short = question('LONG_TEXT', { constraints: { minLength: 2, maxLength: 4 } });
  test.for(['ab', 'abcd', '', '😀😀😀😀'])('may be %j', (value) => expect(storedValue(short, value)).toBe(value));
  test.for(['a', 'abcde', '😀'])('may not be %j', (value) => expect(storedValue(short, value)).toEqual(invalidAt()));
  test('matches as a whole, or is empty', () => {
    expect(storedValue(pan, 'ABCDE1234F')).toBe('ABCDE1234F');
    expect(storedValue(pan, '')).toBe('');
    for (const value of ['xABCDE1234F', 'ABCDE1234Fx', 'ABCDE1234F\n', 'abcde1234f']) expect(storedValue(pan, value)).toEqual(invalidAt());
  });
  test('that is required is not empty', () => {
    expect(storedValue(question('TEXT', { required: true, constraints: { pattern: 'a*' } }), '')).toEqual([expect.objectContaining({ code: 'ANSWER_REQUIRED' })]);
  });
  test('has 1,000 characters at most where it must match', () => {
    const any = question('TEXT', { constraints: { pattern: '(?s).*' } });
    expect(storedValue(any, 'x'.repeat(1_000))).toBe('x'.repeat(1_000));
    expect(storedValue(any, 'x'.repeat(1_001))).toEqual(invalidAt());
  });
  test.for(['(a+)+', '(a|a)*b', '(.*a.{20}){5}', '(\\pL?){100}\\pL{100}', '(x+x+)+y'])('costs no more than its size, whatever it is: %s', (pattern) => {
    const asked = question('TEXT', { constraints: { pattern } });
    const form = compileForm(definitionOf(asked));
    const values = ['a'.repeat(1_000), 'x'.repeat(1_000), `${'a'.repeat(999)}!`];
    const startedAt = performance.now();
    for (const value of values) validateAnswers(form, [{ key: 'q', value }]);
    expect(performance.now() - startedAt).toBeLessThan(2_000); // a backtracking engine would not end today
  });
});

describe('a choice', () => {
  const city = question('SINGLE_CHOICE', { choices: ['Pune', 'Delhi', 'Same', 'Same'] });
  const [pune, delhi, same] = city.choices;
  const uses = question('MULTIPLE_CHOICE', { choices: ['Bicycle', 'Bus', 'Car'] });
  const [bicycle, bus, car] = uses.choices;

  test('is stored as its id, whether sent as text or id', () => {
    expect(storedValue(city, 'Delhi')).toBe(delhi?.id);
    expect(storedValue(city, pune?.id)).toBe(pune?.id);
  });
  test('that shares its text with another must be named by id', () => {
    expect(storedValue(city, 'Same')).toEqual(invalidAt());
    expect(storedValue(city, same?.id)).toBe(same?.id);
  });
  test.for(['pune', 'Mumbai', '', '__proto__', ['Pune'], 1])('may not be %j', (value) => expect(storedValue(city, value)).toEqual(invalidAt()));

  test('among several is stored in the form’s order', () =>
    expect(storedValue(uses, ['Car', bicycle?.id ?? '', 'Bus'])).toEqual([bicycle?.id, bus?.id, car?.id]));
  test('may not be repeated, and the path tells which one', () => {
    expect(storedValue(uses, ['Car', 'Bus', car?.id ?? ''])).toEqual(invalidAt('answers.0.value.2'));
  });
  test.for([['Bus', 'Plane'], ['Bus', null], ['Bus', ['Car']]])('of a list may not be unknown: %j', (value) =>
    expect(storedValue(uses, value)).toEqual(invalidAt('answers.0.value.1')));
  test('of several must come in a list', () => expect(storedValue(uses, 'Bus')).toEqual(invalidAt()));
});

describe('metadata of an answer', () => {
  const text = question('TEXT');
  const nested = (levels: number): Json => (levels === 0 ? {} : { a: nested(levels - 1) });

  test('is stored beside the value', () =>
    expect(check([text], [{ key: 'q', value: 'a', metadata: { tool: 'x' } }])).toEqual({ answers: { [text.id]: { value: 'a', metadata: { tool: 'x' } } } }));

  test.for([
    ['a text with NUL', { a: ['b', '\u0000'] }, 'answers.0.metadata.a.1'],
    ['a key with half a surrogate pair', { a: { '\udc00': 1 } }, 'answers.0.metadata.a'],
    ['a number without end', { a: Infinity }, 'answers.0.metadata.a'],
    ['a text that is half a surrogate pair', '\ud800', 'answers.0.metadata'],
    ['more than 64 KiB', { a: 'x'.repeat(65_536) }, 'answers.0.metadata'],
    ['more than 32 levels', nested(32), `answers.0.metadata${'.a'.repeat(32)}`],
  ] as const)('with %s is a fault there', ([, metadata, path]) => {
    expect(codesAndPaths(faultsOf([text], [{ key: 'q', value: 'a', metadata }]))).toEqual([['INVALID_INPUT', path]]);
  });

  test('may be 32 levels deep', () => expect(check([text], [{ key: 'q', value: 'a', metadata: nested(31) }])).toHaveProperty('answers'));
});

test('all faults of a submission come at once, each with its path', () => {
  const form = [
    question('TEXT', { key: 'name', required: true }),
    question('INTEGER', { key: 'age', text: 'Age?' }),
    question('BOOLEAN', { key: 'ok', text: 'OK?' }),
  ];
  const faults = faultsOf(form, [{ key: 'age', value: '7' }, { key: 'nope', value: 1 }, { key: 'ok', value: 0, metadata: '\u0000' }]);
  expect(codesAndPaths(faults)).toEqual([
    ['ANSWER_INVALID', 'answers.0.value'],
    ['QUESTION_UNKNOWN', 'answers.1.key'],
    ['INVALID_INPUT', 'answers.2.metadata'],
    ['ANSWER_INVALID', 'answers.2.value'],
    ['ANSWER_REQUIRED', 'answers'],
  ]);
});

test('more answers than any form has questions are refused unread', () => {
  const answers = Array.from({ length: 2_001 }, () => ({ key: 'x' }));
  expect(codesAndPaths(faultsOf([question('TEXT')], answers))).toEqual([['TOO_MANY', 'answers']]);
});

test('all responses of the household survey pass', () => {
  const form = compileForm(householdDefinition());
  const faults = householdResponses('form').flatMap((response) => {
    const result = validateAnswers(form, response.answers);
    return 'faults' in result ? result.faults : [];
  });
  expect(faults).toEqual([]);
});

test('whatever JSON is sent, there is a result and never an exception', () => {
  const form = compileForm(definitionOf(...questionKinds.map((kind) => question(kind, { key: kind, text: kind, choices: ['a'], required: true }))));
  const json = fc.jsonValue({ maxDepth: 4, stringUnit: 'binary' }) as fc.Arbitrary<Json>;
  const answer = fc.record({ key: fc.constantFrom(...questionKinds, 'x'), value: json, metadata: json });
  fc.assert(
    fc.property(fc.array(answer, { maxLength: 12 }), (answers) => {
      const result = validateAnswers(form, answers);
      expect('faults' in result ? result.faults.length : 1).toBeGreaterThan(0);
    }),
  );
});
