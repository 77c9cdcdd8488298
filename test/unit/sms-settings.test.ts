import { describe, expect, test } from 'vitest';
import { sms } from '../../integrations/sms/sms.ts';
import { smsSettings } from '../../integrations/sms/settings.ts';

const account = { accountSid: `AC${'0'.repeat(32)}`, authToken: 't0ken', from: '+15005550006' };
const service = `MG${'0'.repeat(32)}`;
const template = 'Thank you';

describe('settings', () => {
  test('need an account, a sender and a template, and are careful by default', () => {
    expect(smsSettings.parse({ ...account, template })).toEqual({
      ...account, template, flagged: false, unknownOutcome: 'atMostOnce', perNumberAndDay: 5, simulated: false,
    });
  });

  test('need a template alone where it is simulated', () => {
    expect(smsSettings.safeParse({ simulated: true, template }).success).toBe(true);
  });

  test.each([
    ['no account', { from: account.from }, ['accountSid', 'authToken']],
    ['no sender', { ...account, from: undefined }, ['from']],
    ['two senders', { ...account, messagingServiceSid: service }, ['messagingServiceSid']],
    ['two senders, simulated', { simulated: true, from: account.from, messagingServiceSid: service }, ['messagingServiceSid']],
    ['no account SID', { ...account, accountSid: 'SK123' }, ['accountSid']],
    ['a token with a line break', { ...account, authToken: 'a\nb' }, ['authToken']],
    ['a sender that is none', { ...account, from: 'Too long a name' }, ['from']],
    ['a country that is none', { ...account, defaultCountry: 'XX' }, ['defaultCountry']],
    ['a country in words', { ...account, defaultCountry: 'India' }, ['defaultCountry']],
    ['no message a day', { ...account, perNumberAndDay: 0 }, ['perNumberAndDay']],
    ['51 messages a day', { ...account, perNumberAndDay: 51 }, ['perNumberAndDay']],
    ['a template without an end', { ...account, template: 'x'.repeat(2_001) }, ['template']],
  ])('are refused with %s, and say where', (_, members, paths) => {
    const { error } = smsSettings.safeParse({ template, ...members });
    expect([...new Set(error?.issues.map(({ path }) => path.join('.')))]).toEqual(paths);
    for (const { message } of error?.issues ?? []) expect(message).toMatch(/^\S.*\.$/);
  });

  test.each(['+14155550100', '12345', 'Formwire', 'ACME 24'])('take %s for a sender', (from) => {
    expect(smsSettings.safeParse({ ...account, from, template }).success).toBe(true);
  });
});

test('all that send with one sender share its rate', () => {
  const quotasOf = (members: object) => sms.quotas(smsSettings.parse({ ...account, template, ...members }));
  expect(quotasOf({})).toEqual([]);
  expect(quotasOf({ ratePerMinute: 120 })).toEqual([{ name: `twilio:${account.accountSid}:+15005550006`, perMinute: 120, burst: 2 }]);
  expect(quotasOf({ ratePerMinute: 1, from: undefined, messagingServiceSid: service })).toEqual([{ name: `twilio:${account.accountSid}:${service}`, perMinute: 1, burst: 1 }]);
  expect(quotasOf({ ratePerMinute: 120, simulated: true })).toEqual([]);
});
