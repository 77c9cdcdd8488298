import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { CallbackReply, CallContext, HttpClient, Outcome, Tracking } from '../../integrations/provider.ts';
import { sms } from '../../integrations/sms/sms.ts';
import { smsSettings, type SmsSettings } from '../../integrations/sms/settings.ts';
import type { Event, EventType } from '../../src/events/event.ts';
import { newId, type Id } from '../../src/events/id.ts';
import { createHttpClient } from '../../src/outbound/http-client.ts';
import { createCallContext, formShape, type Logged } from './call-context.ts';
import { createManualClock, type ManualClock } from './simulators/clock.ts';
import { startTwilio, type TwilioOptions, type TwilioSimulator } from './twilio/twilio.ts';

/** The SMS provider beside a simulated Twilio that calls it back, by one clock that stands still. */
export interface Receipts extends AsyncDisposable {
  twilio: TwilioSimulator;
  clock: ManualClock;
  /** What a call gets; all of them share a ledger. */
  context: CallContext<SmsSettings>;
  tracked: Tracking[];
  logged: Logged[];
  /** What the provider answered to callbacks. */
  replies: CallbackReply[];
  deliver(event: Event, changes?: Partial<CallContext<SmsSettings>>): Promise<Outcome>;
  /** Attempt after attempt, a minute apart, until its outcome is a last one. */
  deliverToTheEnd(event: Event): Promise<Outcome>;
  /** The same for several at once. */
  allToTheEnd(events: readonly Event[]): Promise<Outcome[]>;
  /** What the tracking of an event came to: what has the highest rank, the first of equal ones. */
  tracking(event: Event): Tracking | undefined;
}

export const sender = '+15005550006';
export const respondentNumber = '+491701234567';

export async function startReceipts(options: { settings?: object; twilio?: TwilioOptions; callsBack?: boolean } = {}): Promise<Receipts> {
  const clock = createManualClock();
  const twilio = await startTwilio({ clock, ...options.twilio });
  const { sid: accountSid, authToken } = twilio.account;
  const settings = smsSettings.parse({ accountSid, authToken, from: sender, template: 'Thank you for {{ response.id }}', ...options.settings });
  const http = createHttpClient({ policy: { allowLoopback: true } });
  const form = formShape();
  const made = createCallContext(settings, {
    http, now: clock.now, form: async () => form, serviceUrl: (name) => (name === 'twilio' ? twilio.url : undefined),
  });
  const endpoint = options.callsBack === false ? undefined : await startCallbackEndpoint(made);
  const context = { ...made, callbackUrl: endpoint?.url };
  const deliver: Receipts['deliver'] = async (event, changes) => {
    const [outcome] = await sms.deliver([{ event, attempt: 1 }], { ...context, ...changes });
    if (!outcome) throw new Error('one delivery has one outcome');
    return outcome;
  };
  const allToTheEnd: Receipts['allToTheEnd'] = async (events) => {
    const ended = new Map<Event, Outcome>();
    for (let round = 0; round < maxRounds; round += 1) {
      const left = events.filter((event) => !ended.has(event));
      if (left.length === 0) break;
      if (round > 0) clock.advance(60_000); // for all at once: nobody's call takes longer because others wait
      const outcomes = await Promise.all(left.map((event) => deliver(event)));
      for (const [index, outcome] of outcomes.entries()) if (isLast(outcome)) ended.set(left[index]!, outcome);
    }
    if (!events.every((event) => ended.has(event))) throw new Error('some came to no end');
    return events.map((event) => ended.get(event)!);
  };
  return {
    twilio, clock, context, deliver,
    tracked: made.tracked,
    logged: made.logged,
    replies: endpoint?.replies ?? [],
    deliverToTheEnd: async (event) => (await allToTheEnd([event]))[0]!,
    allToTheEnd,
    tracking: (event) => made.tracked.filter(({ eventId }) => eventId === event.id).reduce<Tracking | undefined>((best, next) => (best && best.rank >= next.rank ? best : next), undefined),
    async [Symbol.asyncDispose]() {
      await twilio.close();
      await endpoint?.close();
      await http.close();
    },
  };
}

const maxRounds = 100;
const isLast = ({ status }: Outcome): boolean => status === 'delivered' || status === 'rejected' || status === 'skipped';

/** Takes callbacks as the API does. */
async function startCallbackEndpoint(context: CallContext<SmsSettings>): Promise<{ url: string; replies: CallbackReply[]; close(): Promise<void> }> {
  const replies: CallbackReply[] = [];
  let origin = '';
  const server = createServer((request, response) => {
    void text(request).then(async (body) => {
      const reply = await sms.callback({ method: request.method ?? '', url: origin + (request.url ?? ''), headers: request.headers, body }, context);
      replies.push(reply);
      response.writeHead(reply.httpStatus).end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const close = async (): Promise<void> => {
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  };
  return { url: `${origin}/callbacks/${context.integrationId}`, replies, close };
}

/** An event of a response; a family has several. */
export function receiptEvent(members: { type?: EventType; familyId?: Id<'resp'>; mobile?: string | null; flags?: number; submittedAt?: string } = {}): Event {
  const { type = 'response.created', mobile = respondentNumber, flags = 0, submittedAt = new Date().toISOString() } = members;
  const responseId = newId('resp');
  const familyId = members.familyId ?? responseId;
  const response = {
    id: familyId, clientId: null, familyId, revision: 1, submittedAt, respondent: mobile === null ? {} : { mobile }, collector: {}, metadata: {},
    flags: Array.from({ length: flags }, () => ({ rule: 'spent' })), answers: [],
  };
  const formId = newId('form');
  const body = Buffer.from(JSON.stringify({ type, data: { form: { id: formId, title: 'Survey', version: 1 }, response } }));
  return { id: newId('evt'), type, organizationId: newId('org'), formId, responseId, position: 1, integrationsVersion: 1, body };
}

/** Stands for a process that is gone in the middle of a call: nothing it would have done after that is done. */
export class Death extends Error {
  override name = 'Death';
}

/** An HTTP client whose process dies at its next request, right before or right after it. */
export const dyingHttp = (http: HttpClient, when: 'before' | 'after'): HttpClient => ({
  ...http,
  exchange: async (request) => {
    if (when === 'after') await http.exchange(request);
    throw new Death(`died ${when} its call`);
  },
});
