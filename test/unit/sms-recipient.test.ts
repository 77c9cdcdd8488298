import { describe, expect, test } from 'vitest';
import { internationalNumber, masked, recipientOf } from '../../integrations/sms/recipient.ts';

test.each([
  ['an international number, however it is typed', '+91 98100-00017', undefined, '+919810000017'],
  ['a national one of the default country', '098100 00017', 'IN', '+919810000017'],
  ['an international one, whatever the default', '+49 170 1234567', 'IN', '+491701234567'],
  ['a national one without a default', '098100 00017', undefined, undefined],
  ['one that is too short for its country', '12', 'IN', undefined],
  ['one that is too long for any', `+49${'1'.repeat(20)}`, undefined, undefined],
  ['one with an extension', '+1 415 555 0100 ext. 7', undefined, undefined],
  ['a text with a number in it', 'call +1 415 555 0100', 'US', undefined],
  ['a long text', '1'.repeat(61), 'US', undefined],
])('%s', (_, text, country, number) => {
  expect(internationalNumber(text, country)).toBe(number);
});

test('a number is shown as much as it takes to know it again', () => {
  expect(masked('+14155550100')).toBe('+1415…00');
});

describe('a receipt goes to', () => {
  const response = { respondent: { mobile: '+91 98100 00017' }, answers: [{ key: 'phone', value: '0170 1234567', text: '0170 1234567' }] };

  test('the respondent’s mobile number', () => {
    expect(recipientOf(response, {})).toEqual({ kind: 'number', number: '+919810000017' });
  });

  test('the answer to a question that was chosen', () => {
    expect(recipientOf(response, { recipientQuestion: 'phone', defaultCountry: 'DE' })).toEqual({ kind: 'number', number: '+491701234567' });
  });

  test('nobody where no number was given', () => {
    expect(recipientOf({ ...response, respondent: { mobile: ' ' } }, {})).toEqual({ kind: 'none', reason: 'The respondent’s mobile number is missing, so nobody can be written to.' });
    expect(recipientOf(response, { recipientQuestion: 'other' })).toEqual({ kind: 'none', reason: 'The answer to "other" is missing, so nobody can be written to.' });
  });

  test('nobody where what was given is no number, which is not repeated', () => {
    const recipient = recipientOf(response, { recipientQuestion: 'phone' });
    expect(recipient).toEqual({ kind: 'impossible', reason: 'The answer to "phone" is no number that can be written to. Numbers without a + need a default country.' });
    expect(recipientOf(response, { recipientQuestion: 'phone', defaultCountry: 'AD' })).toEqual({ kind: 'impossible', reason: 'The answer to "phone" is no number that can be written to.' });
  });
});
