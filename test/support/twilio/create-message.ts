import { randomBytes } from 'node:crypto';
import { TwilioError, type RefusalCode } from './errors.ts';
import type { Fate, SimulatedMessage } from './message.ts';

/** What an account has, and what it is refused. Tests change it as they go. */
export interface TwilioAccount {
  sid: string;
  authToken: string;
  /** Phone numbers it may send from. */
  numbers: Set<string>;
  /** Messaging services, each with the number it sends from. */
  services: Map<string, string>;
  /** Recipients who have texted STOP. */
  optOuts: Set<string>;
  /** Numbers that a message to is refused. */
  refusals: Map<string, RefusalCode>;
  /** What becomes of messages to a number; without one they are delivered. */
  fates: Map<string, Fate>;
  /** Beginnings of numbers in countries that are not enabled. */
  blockedRegions: string[];
  /** The numbers that a trial account may write to; undefined where it is none. */
  verifiedByTrial: Set<string> | undefined;
  /** How many messages of one number may wait. */
  maxQueued: number;
}

const maxCharacters = 1600;
const maxValiditySeconds = 36_000;

/** Checks a request in the order Twilio does, and makes the message of it. Throws TwilioError. */
export function createMessage(account: TwilioAccount, details: { form: URLSearchParams; messages: readonly SimulatedMessage[]; now: Date }): SimulatedMessage {
  const { form, messages, now } = details;
  const to = checkedRecipient(account, form.get('To'));
  const { from, messagingServiceSid } = checkedSender(account, form);
  const body = form.get('Body') ?? '';
  if (body === '') throw new TwilioError(21602);
  if (body.length > maxCharacters) throw new TwilioError(21617);
  const statusCallback = form.get('StatusCallback');
  if (statusCallback !== null && !isCallbackUrl(statusCallback)) throw new TwilioError(21609, statusCallback);
  const validitySeconds = Number(form.get('ValidityPeriod') ?? maxValiditySeconds);
  if (!Number.isInteger(validitySeconds) || validitySeconds < 1 || validitySeconds > maxValiditySeconds) throw new TwilioError(90007);
  const waiting = messages.filter((message) => message.from === from && (message.status === 'queued' || message.status === 'accepted'));
  if (waiting.length >= account.maxQueued) throw new TwilioError(21611);
  return {
    sid: `SM${randomBytes(16).toString('hex')}`,
    accountSid: account.sid,
    to,
    from,
    messagingServiceSid,
    body: account.verifiedByTrial ? `Sent from your Twilio trial account - ${body}` : body,
    status: messagingServiceSid === null ? 'queued' : 'accepted',
    errorCode: null,
    createdAt: now,
    updatedAt: now,
    ...(statusCallback !== null && { statusCallback }),
    validitySeconds,
    fate: account.fates.get(to) ?? { status: 'delivered' },
  };
}

function checkedRecipient(account: TwilioAccount, to: string | null): string {
  if (!to) throw new TwilioError(21604);
  if (!/^\+[1-9]\d{6,14}$/.test(to)) throw new TwilioError(21211, to);
  if (account.blockedRegions.some((region) => to.startsWith(region))) throw new TwilioError(21408, to);
  if (account.verifiedByTrial?.has(to) === false) throw new TwilioError(21608, to);
  const refusal = account.refusals.get(to);
  if (refusal !== undefined) throw new TwilioError(refusal, to);
  if (account.optOuts.has(to)) throw new TwilioError(21610);
  return to;
}

function checkedSender(account: TwilioAccount, form: URLSearchParams): { from: string; messagingServiceSid: string | null } {
  const messagingServiceSid = form.get('MessagingServiceSid');
  const from = form.get('From');
  if (messagingServiceSid !== null) {
    const number = account.services.get(messagingServiceSid);
    if (number === undefined) throw new TwilioError(21701, messagingServiceSid);
    return { from: from ?? number, messagingServiceSid };
  }
  if (from === null) throw new TwilioError(21603);
  if (!/^(\+\d{7,15}|\d{5,6}|[\w +-]{1,11})$/.test(from)) throw new TwilioError(21212, from);
  if (!account.numbers.has(from)) throw new TwilioError(21606, from);
  return { from, messagingServiceSid: null };
}

const maxCallbackCharacters = 4000;

/** Real Twilio also refuses hosts it cannot reach; tests have none but loopback. */
function isCallbackUrl(text: string): boolean {
  if (text.length > maxCallbackCharacters || !URL.canParse(text)) return false;
  const { protocol, hostname } = new URL(text);
  return (protocol === 'http:' || protocol === 'https:') && !hostname.includes('_');
}
