import type { EventType } from '../../src/events/event.ts';
import type { FormShape, Provider, QuotaRate, SettingsFault } from '../provider.ts';
import { takeCallback } from './callback.ts';
import { deliverReceipt } from './deliver.ts';
import { followMessages } from './follow.ts';
import { whyTemplateUnfit } from './message-text.ts';
import { previewReceipt } from './preview.ts';
import { smsSettings, type SmsSettings } from './settings.ts';

/** Sends a text message for each response, once, through Twilio. */
export const sms = {
  name: 'sms',
  title: 'SMS receipt',
  description: 'Sends a text message to the person whom a response names, once, through Twilio or, simulated, to the log.',
  settings: smsSettings,
  // One message a call, so that a turn at a quota is a message. The time limit is above what one call may come to: two requests and the ledger.
  limits: { batchSize: 1, concurrency: 16, timeoutMs: 45_000 },
  needsForm: true,
  defaultEvents: ['response.created', 'response.cleared'] satisfies EventType[],
  unfit: unfitSettings,
  quotas: quotasOf,
  reachesPeople: true,
  preview: (event, about) => previewReceipt(event, about),
  deliver: (batch, context) => Promise.all(batch.map((request) => deliverReceipt(request, context))),
  callback: takeCallback,
  follow: followMessages,
} satisfies Provider<SmsSettings>;

function unfitSettings({ template, recipientQuestion }: SmsSettings, form: FormShape): SettingsFault[] {
  const templateFault = whyTemplateUnfit(template, form);
  const questionFault = whyQuestionUnfit(recipientQuestion, form);
  return [
    ...(templateFault === undefined ? [] : [{ message: templateFault, path: ['template'] }]),
    ...(questionFault === undefined ? [] : [{ message: questionFault, path: ['recipientQuestion'] }]),
  ];
}

function whyQuestionUnfit(key: string | undefined, { questions }: FormShape): string | undefined {
  if (key === undefined) return undefined;
  const question = questions.find((one) => one.key === key);
  if (!question) return `This form has no question with the key "${key}".`;
  if (question.kind === 'PHONE' || question.kind === 'TEXT') return undefined;
  return `The question "${key}" is of the kind ${question.kind}; a number is answered to one of the kind PHONE or TEXT.`;
}

/** All that send with one sender share its rate, also from several integrations. */
function quotasOf({ accountSid, from, messagingServiceSid, ratePerMinute, simulated }: SmsSettings): QuotaRate[] {
  if (ratePerMinute === undefined || simulated) return [];
  return [{ name: `twilio:${accountSid}:${messagingServiceSid ?? from}`, perMinute: ratePerMinute, burst: Math.max(1, Math.floor(ratePerMinute / 60)) }];
}
