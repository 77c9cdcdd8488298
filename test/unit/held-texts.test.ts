import { parse } from 'graphql';
import { expect, test } from 'vitest';
import { createHeldTexts, textOf } from '../../src/api/held-texts.ts';

const query = 'subscription { a }';
const asking = (document = parse(query), variables?: Record<string, unknown>) => textOf({ document, params: { query, variables, operationName: undefined } });

test('the same query counts once, for as long as anybody asks for it, and the variables of each', () => {
  const texts = createHeldTexts();
  const document = parse(query);
  const plain = asking(document);
  const [first, second] = [texts.take('one', plain), texts.take('one', asking(document, { id: 'x' }))];
  expect(texts.charsWith('one', plain)).toBe(query.length + '{"id":"x"}'.length);
  first();
  expect(texts.charsWith('one', plain)).toBe(query.length + '{"id":"x"}'.length);
  second();
  expect(texts.charsWith('one', plain)).toBe(query.length);
});

test('a query that was parsed twice takes memory twice, and counts twice', () => {
  const texts = createHeldTexts();
  const giveBack = texts.take('one', asking());
  const again = asking();
  expect(texts.charsWith('one', again)).toBe(2 * query.length);
  giveBack();
  expect(texts.charsWith('one', again)).toBe(query.length);
});

test('what one holder keeps is nothing to another', () => {
  const texts = createHeldTexts();
  const document = parse(query);
  texts.take('one', asking(document));
  expect(texts.charsWith('other', asking(document))).toBe(query.length);
});
