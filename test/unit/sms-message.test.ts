import { describe, expect, test } from 'vitest';
import { messageText, whyTemplateUnfit } from '../../integrations/sms/message-text.ts';
import type { ReceiptEvent } from '../../integrations/sms/receipt-event.ts';
import { sms } from '../../integrations/sms/sms.ts';
import { smsSettings, type SmsSettings } from '../../integrations/sms/settings.ts';
import { newId } from '../../src/events/id.ts';
import { sampleEvent, sampleForm } from '../providers/sample.ts';

const response: ReceiptEvent = {
  id: 'resp_2', clientId: 'c-1', familyId: 'resp_1', revision: 2, submittedAt: '2026-11-21T23:30:00.000Z',
  form: { title: 'Household survey', version: 3 },
  respondent: { name: 'Zoë', mobile: '+919810000017' }, collector: { username: 'ada' }, flags: [],
  answers: [
    { key: 'total', value: 1_999.5, text: '1999.5' },
    { key: 'uses', value: ['Car', 'Bus'], text: 'Car, Bus' },
    { key: 'agreed', value: true, text: 'true' },
    { key: 'name', value: '{{ total }}', text: '{{ total }}' },
  ],
};
const question = (key: string) => ({ id: newId('q'), key, text: key, kind: 'TEXT' as const, choices: [] });
const form = { questions: ['total', 'uses', 'agreed', 'name', 'note', 'response'].map(question) };
const text = (template: string) => messageText(template, { form, response });

describe('a message', () => {
  test.each([
    ['answers by their keys, lists as texts', '{{ total }} for {{ uses }}', '1999.5 for Car, Bus'],
    ['numbers that can be rounded, and conditions', '{% if agreed and total > 1000 %}{{ total | round }}{% endif %}', '2000'],
    ['the form, the response, the respondent and the collector', '{{ form.title }} {{ response.id }}/{{ response.revision }} {{ respondent.name }} {{ collector.username }}', 'Household survey resp_2/2 Zoë ada'],
    ['times in UTC', '{{ response.submittedAt | date: "%d.%m.%Y %H:%M" }}', '21.11.2026 23:30'],
    ['nothing where nothing was answered', 'a{{ note }}b', 'ab'],
    ['an answer whose key is taken, by its long name', '{{ answers.total }}{{ answers.response }}', '1999.5'],
    ['an answer that looks like a template, as it is', '{{ name }}', '{{ total }}'],
    ['no space around it', '\n  Thank you.  \n', 'Thank you.'],
  ])('has %s', (_, template, expected) => {
    expect(text(template)).toEqual({ kind: 'text', text: expected });
  });

  test('that is empty or too long for a response is not sent, and not cut', () => {
    expect(text('{{ note }}')).toEqual({ kind: 'impossible', reason: 'The message is empty for this response.' });
    const long = (length: number) => messageText('{{ note }}', { form, response: { ...response, answers: [{ key: 'note', value: 'x'.repeat(length), text: '' }] } });
    expect(long(1_600)).toHaveProperty('kind', 'text');
    expect(long(1_601)).toEqual({ kind: 'impossible', reason: 'The message has 1601 characters for this response; at most 1600 can be sent.' });
  });

  test('cannot name what the form does not have', () => {
    expect(whyTemplateUnfit('{{ total }} {{ response.submittedAt }}', form)).toBeUndefined();
    expect(whyTemplateUnfit('{{ totl }}', form)).toContain('There is no "totl"');
    expect(whyTemplateUnfit('{{ response }}', form)).toContain('There is no "response"');
    expect(text('{{ gone }}')).toEqual({ kind: 'unfit', reason: expect.stringContaining('There is no "gone"') });
  });
});

const settings = (members: object = {}): SmsSettings => smsSettings.parse({ simulated: true, template: 'Thank you, {{ name }}', ...members });

describe('settings fit a form', () => {
  test.each([
    ['where all they speak of is there', { recipientQuestion: 'mobile' }, []],
    ['with a text to be read as a number', { recipientQuestion: 'name' }, []],
    ['not with a name that it has not', { template: '{{ nmae }}' }, [['template']]],
    ['not with a question that it has not', { recipientQuestion: 'phone' }, [['recipientQuestion']]],
    ['not with a question of another kind', { recipientQuestion: 'income' }, [['recipientQuestion']]],
    ['and all faults are told', { template: '{% for', recipientQuestion: 'income' }, [['template'], ['recipientQuestion']]],
  ])('%s', (_, members, paths) => {
    expect(sms.unfit(settings(members), sampleForm).map(({ path }) => path)).toEqual(paths);
  });
});

describe('a preview', () => {
  const show = (members: object = {}) => sms.preview(sampleEvent(), { settings: settings(members), form: sampleForm });

  test('shows the message, whom it goes to, and what it costs', () => {
    expect(show({ template: '{{ city }} thanks you' })).toEqual({
      recipient: expect.stringMatching(/^\+49170\d+$/), text: 'Pune thanks you', encoding: 'GSM-7', characters: 15, segments: 1, problem: null,
    });
  });

  test('says why nothing would go out', () => {
    expect(show({ recipientQuestion: 'city', template: 'x' })).toMatchObject({ recipient: null, text: 'x', problem: expect.stringContaining('no number') });
    expect(show({ template: '{{ gone }}' })).toMatchObject({ text: null, segments: null, problem: expect.stringContaining('"gone"') });
  });
});
