import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { CallContext, Ledger } from '../../integrations/provider.ts';
import type { SmsSettings } from '../../integrations/sms/settings.ts';
import type { Event } from '../../src/events/event.ts';
import { newId } from '../../src/events/id.ts';
import { Death, dyingHttp, receiptEvent, startReceipts, type Receipts } from '../support/receipts.ts';
import type { Outcome as Fault } from '../support/simulators/faults.ts';
import { replyOfTwilio, TwilioError } from '../support/twilio/errors.ts';

/** Faults after which nobody knows whether a message went out. */
const unclear = {
  droppedBefore: { kind: 'drop', applied: false },
  droppedAfter: { kind: 'drop', applied: true },
  failedBefore: { kind: 'reply', reply: replyOfTwilio(new TwilioError(20503)) },
  failedAfter: { kind: 'reply', reply: replyOfTwilio(new TwilioError(20500)), applied: true },
  malformed: { kind: 'malformed' },
  truncated: { kind: 'truncated' },
} satisfies Record<string, Fault>;
/** Faults that say that nothing went out. */
const clear = { throttled: { kind: 'reply', reply: replyOfTwilio(new TwilioError(20429)) }, full: { kind: 'reply', reply: replyOfTwilio(new TwilioError(21611)) } } satisfies Record<string, Fault>;

type Trouble =
  | { kind: 'none' }
  | { kind: 'service'; fault: keyof typeof unclear | keyof typeof clear }
  | { kind: 'death'; when: 'before' | 'after' }
  /** The process dies at its `note`-th note in the ledger, before or after that is durable. */
  | { kind: 'deathAtNote'; note: number; when: 'before' | 'after' };

type Step = { kind: 'deliver'; events: number[]; trouble: Trouble } | { kind: 'pass'; seconds: number } | { kind: 'news' };

const trouble: fc.Arbitrary<Trouble> = fc.oneof(
  fc.constant({ kind: 'none' } as const),
  fc.record({ kind: fc.constant('service' as const), fault: fc.constantFrom(...(Object.keys({ ...unclear, ...clear }) as (keyof typeof unclear | keyof typeof clear)[])) }),
  fc.record({ kind: fc.constant('death' as const), when: fc.constantFrom('before' as const, 'after' as const) }),
  fc.record({ kind: fc.constant('deathAtNote' as const), note: fc.integer({ min: 0, max: 3 }), when: fc.constantFrom('before' as const, 'after' as const) }),
);

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('deliver' as const), events: fc.array(fc.nat(5), { minLength: 1, maxLength: 3 }), trouble }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('pass' as const), seconds: fc.constantFrom(5, 60, 300, 3_600) }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'news' as const }) },
);

interface World {
  steps: Step[];
  callsBack: boolean;
  hasSameText: boolean;
  lostStatuses: string[];
}

const world: fc.Arbitrary<World> = fc.record({
  steps: fc.array(step, { maxLength: 12 }),
  callsBack: fc.boolean(),
  hasSameText: fc.boolean(),
  lostStatuses: fc.subarray(['sending', 'sent', 'delivered']),
});

const settings = (unknownOutcome: string, { hasSameText }: World) => ({ unknownOutcome, perNumberAndDay: 50, template: hasSameText ? 'Thank you' : 'Thank you for {{ response.id }}' });

/** Three responses, two of one number, with two events each. */
function makeEvents(): { events: Event[]; familyIds: string[] } {
  const families = [{ mobile: '+491701000001' }, { mobile: '+491701000001' }, { mobile: '+491701000002' }].map((members) => ({ ...members, familyId: newId('resp') }));
  const events = families.flatMap((family) => [receiptEvent(family), receiptEvent({ ...family, type: 'response.cleared' })]);
  return { events, familyIds: families.map(({ familyId }) => familyId) };
}

function dyingLedger(ledger: Ledger, { note: last, when }: { note: number; when: 'before' | 'after' }): Ledger {
  let count = 0;
  return {
    ...ledger,
    note: async (notes) => {
      const isLast = count === last;
      count += 1;
      if (!isLast) return ledger.note(notes);
      if (when === 'after') await ledger.note(notes);
      throw new Death(`died ${when} its note`);
    },
  };
}

function changesOf(at: Receipts, trouble: Trouble): Partial<CallContext<SmsSettings>> {
  if (trouble.kind === 'death') return { http: dyingHttp(at.context.http, trouble.when) };
  return trouble.kind === 'deathAtNote' ? { ledger: dyingLedger(at.context.ledger, trouble) } : {};
}

async function deliverWith(at: Receipts, events: readonly Event[], trouble: Trouble): Promise<void> {
  using _fault = trouble.kind === 'service' ? at.twilio.faults.add({ times: Infinity, outcome: { ...unclear, ...clear }[trouble.fault] }) : undefined;
  const results = await Promise.allSettled(events.map((event) => at.deliver(event, changesOf(at, trouble))));
  for (const result of results) if (result.status === 'rejected') expect(result.reason).toBeInstanceOf(Death);
}

async function live(at: Receipts, { steps, lostStatuses }: World, events: readonly Event[]): Promise<{ unclearCalls: number }> {
  at.twilio.manner.isLost = ({ status }) => lostStatuses.includes(status);
  let unclearCalls = 0;
  for (const each of steps) {
    if (each.kind === 'pass') at.clock.advance(each.seconds * 1_000);
    else if (each.kind === 'news') await at.twilio.step();
    else {
      await deliverWith(at, each.events.map((index) => events[index]!), each.trouble);
      const isClear = each.trouble.kind === 'none' || (each.trouble.kind === 'service' && each.trouble.fault in clear);
      if (!isClear) unclearCalls += each.events.length;
    }
  }
  return { unclearCalls };
}

/** One's message is taken for another's by a process that dies right then; only afterwards a callback says whose it is. */
const takenForAnothers: World = {
  steps: [
    { kind: 'deliver', events: [0], trouble: { kind: 'service', fault: 'failedAfter' } },
    { kind: 'deliver', events: [2], trouble: { kind: 'death', when: 'before' } },
    { kind: 'deliver', events: [2, 0], trouble: { kind: 'deathAtNote', note: 0, when: 'after' } },
    { kind: 'news' },
  ],
  callsBack: true, hasSameText: true, lostStatuses: [],
};

test.each(['atMostOnce', 'atLeastOnce'] as const)('whatever fails and whoever dies, %s keeps its word', async (unknownOutcome) => {
  await fc.assert(
    fc.asyncProperty(world, async (given) => {
      await using at = await startReceipts({ settings: settings(unknownOutcome, given), callsBack: given.callsBack });
      const { events, familyIds } = makeEvents();
      const { unclearCalls } = await live(at, given, events);
      const outcomes = await at.allToTheEnd(events);
      await at.twilio.settle();

      const messages = at.twilio.messages.length;
      expect(messages).toBeLessThanOrEqual(unknownOutcome === 'atMostOnce' ? familyIds.length : familyIds.length + unclearCalls);
      if (unclearCalls === 0 || unknownOutcome === 'atLeastOnce') expect(messages).toBeGreaterThanOrEqual(familyIds.length);
      for (const [index, familyId] of familyIds.entries()) {
        const own = outcomes.slice(2 * index, 2 * index + 2);
        const sent = given.hasSameText ? undefined : at.twilio.messages.filter(({ body }) => body.includes(familyId)).length;
        if (unknownOutcome === 'atMostOnce' && sent !== undefined) expect(sent).toBeLessThanOrEqual(1);
        expect(own.filter(({ status }) => status === 'delivered').length).toBeLessThanOrEqual(1);
        for (const outcome of own) if (outcome.status === 'rejected') expect(outcome.error).toBe('OUTCOME_UNKNOWN');
        if (sent !== undefined) expect(own.some(({ status }) => status === 'delivered')).toBe(sent > 0);
      }
    }),
    { numRuns: 60, examples: [[takenForAnothers]] },
  );
});
