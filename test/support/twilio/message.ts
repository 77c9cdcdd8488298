import { deliveryErrors } from './errors.ts';
import { countSegments } from './segments.ts';

export type MessageStatus = 'accepted' | 'queued' | 'sending' | 'sent' | 'delivered' | 'undelivered' | 'failed';

/** What becomes of a message after it was accepted. `stuck`: it stays there, as where a carrier sends no receipts. */
export type Fate =
  | { status: 'delivered' }
  | { status: 'undelivered' | 'failed'; errorCode: number }
  | { status: 'stuck'; at: 'queued' | 'sent' };

/** A message that was accepted: it will be charged for. */
export interface SimulatedMessage {
  sid: string;
  accountSid: string;
  to: string;
  from: string | null;
  messagingServiceSid: string | null;
  body: string;
  status: MessageStatus;
  errorCode: number | null;
  createdAt: Date;
  updatedAt: Date;
  /** Undefined until it is on its way. */
  sentAt?: Date;
  statusCallback?: string;
  validitySeconds: number;
  fate: Fate;
}

/** The status that follows, and undefined once none does. A message that waited for too long fails. */
export function nextStatus({ status, fate, createdAt, validitySeconds }: SimulatedMessage, now: Date): { status: MessageStatus; errorCode?: number } | undefined {
  const isWaiting = status === 'accepted' || status === 'queued';
  if (isWaiting && now.getTime() - createdAt.getTime() > validitySeconds * 1000) return { status: 'failed', errorCode: 30036 };
  switch (status) {
    case 'accepted':
      return { status: 'queued' };
    case 'queued':
      if (fate.status === 'failed') return fate;
      return fate.status === 'stuck' && fate.at === 'queued' ? undefined : { status: 'sending' };
    case 'sending':
      return { status: 'sent' };
    case 'sent':
      if (fate.status === 'delivered' || fate.status === 'undelivered') return fate;
      return undefined;
    case 'delivered':
    case 'undelivered':
    case 'failed':
      return undefined;
  }
}

/** As the API shows it. Times are RFC 2822. */
export function messageResource(message: SimulatedMessage): Record<string, unknown> {
  const { sid, accountSid, to, from, messagingServiceSid, body, status, errorCode } = message;
  const uri = `/2010-04-01/Accounts/${accountSid}/Messages/${sid}`;
  return {
    account_sid: accountSid,
    api_version: '2010-04-01',
    body,
    date_created: rfc2822(message.createdAt),
    date_sent: message.sentAt ? rfc2822(message.sentAt) : null,
    date_updated: rfc2822(message.updatedAt),
    direction: 'outbound-api',
    error_code: errorCode,
    error_message: errorCode === null ? null : (deliveryErrors[errorCode] ?? null),
    from,
    messaging_service_sid: messagingServiceSid,
    num_media: '0',
    num_segments: String(countSegments(body)),
    price: null,
    price_unit: 'USD',
    sid,
    status,
    subresource_uris: { media: `${uri}/Media.json` },
    to,
    uri: `${uri}.json`,
  };
}

/** The parameters of a status callback. */
export function callbackForm(message: SimulatedMessage): Record<string, string> {
  const { sid, accountSid, to, from, messagingServiceSid, status, errorCode } = message;
  return {
    AccountSid: accountSid,
    ApiVersion: '2010-04-01',
    MessageSid: sid,
    MessageStatus: status,
    SmsSid: sid,
    SmsStatus: status,
    To: to,
    ...(from !== null && { From: from }),
    ...(messagingServiceSid !== null && { MessagingServiceSid: messagingServiceSid }),
    ...(errorCode !== null && { ErrorCode: String(errorCode) }),
  };
}

const rfc2822 = (date: Date): string => date.toUTCString().replace('GMT', '+0000');
