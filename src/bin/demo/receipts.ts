import { householdReceipt } from './household.ts';
import type { TwilioSimulator } from './simulators.ts';

/** What went out to the respondents' mobiles. */
export interface DemoReceipts {
  settings: Record<string, unknown>;
  messages(): { to: string; body: string; status: string }[];
}

export function createDemoReceipts(twilio: TwilioSimulator): DemoReceipts {
  const { sid, authToken, numbers } = twilio.account;
  const [from] = numbers;
  return {
    settings: { sms: { accountSid: sid, authToken, from, template: householdReceipt() } },
    messages: () => twilio.messages.map(({ to, body, status }) => ({ to, body, status })),
  };
}
