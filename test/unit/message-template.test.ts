import { describe, expect, test, vi } from 'vitest';
import { compileMessage, openAllowance, TemplateFault, templateLimits } from '../../integrations/message-template.ts';

const names = new Set(['name', 'income', 'uses', 'response.id', 'form.title']);
const message = (source: string, values: Record<string, unknown> = {}): string => compileMessage(source, names).render(values);

describe('a message', () => {
  test('has values in its places', () => {
    expect(message('Thank you {{ name }}. Ref {{ response.id }}', { name: 'Zoë', response: { id: 'resp_1' } })).toBe('Thank you Zoë. Ref resp_1');
  });

  test('leaves a place empty where there is no value', () => {
    expect(message('Thank you {{ name }}!')).toBe('Thank you !');
    expect(message('Thank you {{ name | default: "friend" }}!')).toBe('Thank you friend!');
  });

  test('can depend on values', () => {
    const source = '{% if income > 1000 %}high{% else %}low{% endif %} {{ uses | join: ", " }}';
    expect(message(source, { income: 1001, uses: ['Car', 'Bus'] })).toBe('high Car, Bus');
  });

  test('takes a value that looks like a template as the text it is', () => {
    expect(message('{{ name }}', { name: '{{ income }}{% if %}' })).toBe('{{ income }}{% if %}');
  });
});

describe('refused with a sentence is a message', () => {
  test.each([
    ['that is blank', '  ', /blank/],
    ['that is too long', 'x'.repeat(templateLimits.length + 1), /at most 2000 characters/],
    ['with a name that is not there', 'Hello {{ nmae }}', /no "nmae".*name, income, uses/],
    ['with a member that is not there', '{{ response.secret }}', /no "response.secret"/],
    ['that takes a part of a value which has none', '{{ name.constructor }}', /no "name.constructor"/],
    ['that is not closed', 'Hello {{ name', /cannot be used/],
    ['with a filter that is not there', '{{ name | shout }}', /cannot be used/],
    ['that reads a file', '{% include "/etc/passwd" %}', /cannot be used/],
    ['that repeats', '{% for i in (1..1000000) %}x{% endfor %}', /cannot be used/],
    ['that works out an expression for each part of a value', '{{ name | split: "" | where_exp: "part", "part == part" }}', /cannot be used/],
  ])('%s', (_, source, reason) => {
    expect(() => compileMessage(source, names)).toThrow(TemplateFault);
    expect(() => compileMessage(source, names)).toThrow(reason);
  });

  test('that makes more of itself than there is room for', () => {
    const doubling = `{% assign a = name %}${'{% assign a = a | append: a | append: a | append: a %}'.repeat(12)}{{ a | size }}`;
    expect(() => message(doubling, { name: 'x'.repeat(100) })).toThrow(TemplateFault);
  });
});

describe('a message is given up', () => {
  const long = 'x'.repeat(50_000);

  test.each([
    ['shows', '{{ name }}'.repeat(5)],
    ['keeps for later', `{% capture kept %}${'{{ name }}'.repeat(5)}{% endcapture %}`],
    ['echoes', '{% echo name %}'.repeat(5)],
    ['searches', '{% if name contains "y" %}{% endif %}'.repeat(5)],
    ['replaces', '{{ name | replace: "x", "" }}'.repeat(5)],
    ['takes apart', '{{ name | split: "" | size }}'.repeat(5)],
  ])('that %s too much', (_, source) => {
    expect(() => message(source, { name: long })).toThrow(/limit exceeded/);
  });

  test.each(['{% if name contains income %}{% endif %}', '{{ name | split: income }}', '{{ name | remove_first: income }}', '{{ name | replace: income, "" }}'])(
    'that looks for a long part, as %s',
    (source) => {
      expect(() => message(source, { name: long, income: 'x'.repeat(templateLimits.searched + 1) })).toThrow(/at most 1000 characters/);
    },
  );

  test('that comes after others with which it shares what they may take', () => {
    const { render } = compileMessage('{{ name }}', names);
    const allowance = openAllowance();
    for (let count = 0; count < 4; count += 1) expect(render({ name: long }, allowance)).toHaveLength(50_000);
    expect(() => render({ name: long }, allowance)).toThrow(TemplateFault);
    expect(render({ name: long })).toHaveLength(50_000);
  });
});

test('a message looks into texts and into lists', () => {
  const source = '{% if uses contains "Bus" %}by bus{% endif %}{% if name contains "da" %} Ada{% endif %}{% if income contains 1 %} never{% endif %}';
  expect(message(source, { uses: ['Car', 'Bus'], name: 'Ada', income: 1 })).toBe('by bus Ada');
  expect(message('{{ name | split: " " | last }} {{ name | replace: "Ada", "Eve" | remove: "L" }}', { name: 'Ada Lovelace' })).toBe('Lovelace Eve ovelace');
});

test('a message may be as long as the limit', () => {
  expect(message('x'.repeat(templateLimits.length))).toHaveLength(templateLimits.length);
});

test.each([
  [300, 'is made all the same'],
  [1_100, 'is given up'],
])('a message that a busy machine makes with a pause of %i ms %s', (pauseMs, becomes) => {
  const began = performance.now();
  let passed = 0;
  using _clock = vi.spyOn(performance, 'now').mockImplementation(() => began + (passed++ === 0 ? 0 : pauseMs));
  if (becomes === 'is given up') expect(() => message('{{ name }}', { name: 'Ada' })).toThrow(TemplateFault);
  else expect(message('{{ name }}', { name: 'Ada' })).toBe('Ada');
});
