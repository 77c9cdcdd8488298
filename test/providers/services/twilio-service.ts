import type { Event } from '../../../src/events/event.ts';
import type { ManualClock } from '../../support/simulators/clock.ts';
import type { LoggedRequest } from '../../support/simulators/server.ts';
import { replyOfTwilio, TwilioError } from '../../support/twilio/errors.ts';
import type { TwilioAccount } from '../../support/twilio/create-message.ts';
import { startTwilio } from '../../support/twilio/twilio.ts';
import { mobileOf } from '../sample.ts';
import type { Service } from '../service.ts';
import { createManners, type Wording } from './simulated-manner.ts';

const wording: Wording = {
  refused: replyOfTwilio(new TwilioError(20003)),
  failed: replyOfTwilio(new TwilioError(20503)),
  throttled: (seconds) => replyOfTwilio(new TwilioError(20429), seconds === undefined ? {} : { 'retry-after': String(seconds) }),
};

/** Twilio with an account and one number to send from. An event's effect is a message to its respondent's number. */
export async function startTwilioService<Settings>(clock: ManualClock, settingsFor: (account: TwilioAccount) => Settings): Promise<Service<Settings>> {
  const twilio = await startTwilio({ clock });
  const isMeant = ({ operation }: LoggedRequest) => operation.startsWith('messages.');
  return {
    settings: settingsFor(twilio.account),
    secrets: [twilio.account.authToken],
    confidential: [Buffer.from(`${twilio.account.sid}:${twilio.account.authToken}`).toString('base64')],
    context: { serviceUrl: (name) => (name === 'twilio' ? twilio.url : undefined) },
    behave: createManners(twilio, { wording, isMeant }),
    refuse: (event) => void twilio.account.refusals.set(mobileOf(event), 21211),
    effectsOf: (event: Event) => twilio.countsByNumber().get(mobileOf(event)) ?? 0,
    requestCount: () => twilio.requests.filter(isMeant).length,
    end: () => twilio.close(),
    pass: () => twilio.settle(),
    [Symbol.asyncDispose]: () => twilio.close(),
  };
}
