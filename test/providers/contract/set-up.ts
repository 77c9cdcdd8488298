import { expect, onTestFinished } from 'vitest';
import type { CallContext, DeliveryRequest, LedgerNote, Outcome, Tracking } from '../../../integrations/provider.ts';
import type { Event } from '../../../src/events/event.ts';
import { createHttpClient } from '../../../src/outbound/http-client.ts';
import { createCallContext, type Logged } from '../../support/call-context.ts';
import { createMemoryLedger } from '../../support/ledger.ts';
import { createManualClock, type ManualClock } from '../../support/simulators/clock.ts';
import { sampleEvent, sampleForm } from '../sample.ts';
import type { Service, Subject } from '../service.ts';

/** A provider beside its service, with an integration that is connected where the provider connects. */
export interface SetUp<Settings> {
  service: Service<Settings>;
  clock: ManualClock;
  /** What a call gets; all calls of a set-up share a ledger. */
  context(changes?: Partial<CallContext<Settings>>): CallContext<Settings>;
  deliver(batch: readonly DeliveryRequest[], changes?: Partial<CallContext<Settings>>): Promise<Outcome[]>;
  /** One delivery, of a new event where none is given. */
  deliverOne(request?: Partial<DeliveryRequest>, changes?: Partial<CallContext<Settings>>): Promise<Outcome>;
  /** Delivers an event attempt after attempt, with the waits that were asked for, until its outcome is a last one. */
  deliverToTheEnd(event: Event, from?: { attempt: number }): Promise<Outcome>;
  tracked: Tracking[];
  logged: Logged[];
  /** All that was noted in the ledger. */
  noted: unknown[];
}

export const never = (): AbortSignal => new AbortController().signal;

/** Ends with the test. */
export async function setUp<Settings>(subject: Subject<Settings>, { connected = true } = {}): Promise<SetUp<Settings>> {
  const { provider } = subject;
  const clock = createManualClock();
  const service = await subject.start(clock);
  const http = createHttpClient({ policy: { allowLoopback: true } });
  onTestFinished(async () => {
    await http.close();
    await service[Symbol.asyncDispose]();
  });
  const noted: unknown[] = [];
  const base = createCallContext(deepFrozen(service.settings), {
    now: clock.now, http, ledger: notingLedger(noted), form: async () => sampleForm, ...service.context,
  });
  const context: SetUp<Settings>['context'] = (changes) => ({ ...base, ...changes });

  const deliver: SetUp<Settings>['deliver'] = async (batch, changes) => {
    if (!provider.deliver) throw new Error(`${provider.name} delivers nothing`);
    const outcomes = await provider.deliver(batch, context(changes));
    expect(outcomes).toHaveLength(batch.length);
    return outcomes;
  };
  const deliverOne: SetUp<Settings>['deliverOne'] = async (request, changes) => {
    const [outcome] = await deliver([{ event: sampleEvent(), attempt: 1, ...request }], changes);
    if (outcome === undefined) throw new Error('unreachable: the length is 1');
    return outcome;
  };
  const deliverToTheEnd: SetUp<Settings>['deliverToTheEnd'] = async (event, from = { attempt: 1 }) => {
    for (let attempt = from.attempt; attempt < from.attempt + maxAttempts; attempt += 1) {
      const outcome = await deliverOne({ event, attempt });
      if (isLast(outcome)) return outcome;
      clock.advance('afterMs' in outcome && outcome.afterMs !== undefined ? outcome.afterMs : defaultWaitMs);
      await service.pass?.();
    }
    throw new Error(`${provider.name} came to no end within ${maxAttempts} attempts.`);
  };
  if (connected) expect(await provider.connect?.(context()) ?? { status: 'done' }).toHaveProperty('status', 'done');
  return { service, clock, context, deliver, deliverOne, deliverToTheEnd, tracked: base.tracked, logged: base.logged, noted };
}

/** More than the schedule has. */
const maxAttempts = 20;
const defaultWaitMs = 60_000;

const isLast = ({ status }: Outcome): boolean => status === 'delivered' || status === 'rejected' || status === 'skipped';

/** Whatever a call changes in what it was given throws. */
export function deepFrozen<Value>(value: Value): Value {
  if (typeof value === 'object' && value !== null) Object.values(value).forEach(deepFrozen);
  return Object.freeze(value);
}

function notingLedger(noted: unknown[]) {
  const ledger = createMemoryLedger();
  return {
    ...ledger,
    reserve: (keys: readonly string[]) => (noted.push(keys), ledger.reserve(keys)),
    note: (notes: readonly LedgerNote[]) => (noted.push(notes), ledger.note(notes)),
  };
}
