import DataLoader from 'dataloader';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FirstOutcome, Lease } from '../deliveries/record-outcomes.ts';
import type { RecordedDispatch } from '../deliveries/dispatch-state.ts';
import type { Event } from '../events/event.ts';
import { newId, type Id } from '../events/id.ts';
import type { Incoming } from '../stream/message.ts';
import type { Lane } from './lane.ts';
import type { Dispatch, Recorder } from './recorder.ts';
import type { Work } from './work.ts';

export interface IntakeDeps {
  lease: Lease;
  /** Whether the lease still holds, by this process's clock. */
  isHeld: () => boolean;
  lanesFor: (event: Event) => Lane[] | Promise<Lane[]>;
  findRecorded: (events: readonly Event[]) => Promise<RecordedDispatch[]>;
  recorder: Recorder;
  onAcked?: (() => void) | undefined;
  onError: (error: unknown) => void;
}

/** What a partition's reader hands its events to. */
export interface Intake {
  /** Takes an event; resolves when there is room for the next. */
  handle(incoming: Incoming): Promise<void>;
  /** Resolves when every event taken so far is acked. */
  drained(): Promise<void>;
  /** The partition is another's now: nothing waits any more. */
  abandon(): void;
  inFlight(): number;
}

const maxInFlight = 2_000;
const maxInFlightBytes = 32 * 1024 * 1024;
/** Events acked last: a NATS server that lost a second of its memory sends them again. */
const maxRemembered = 5_000;

/**
 * Fans a partition's events out to lanes, in their order, and acks each when all its outcomes are recorded. Events that
 * may have been dispatched before are looked up first, many in a query, and skip what is recorded.
 */
export function createIntake(deps: IntakeDeps): Intake {
  const { lease, recorder } = deps;
  const acks = new Map<Id<'evt'>, { ack: () => void; bytes: number }>();
  let done = new Set<Id<'evt'>>();
  let doneBefore = new Set<Id<'evt'>>();
  let bytes = 0;
  const waitingForRoom: (() => void)[] = [];
  const waitingForNone: (() => void)[] = [];
  /** Whatever must wait goes through here, and everything behind it with it: the order stays. */
  let chain: Promise<void> | undefined;

  const lookup = new DataLoader<Event, RecordedDispatch, Id<'evt'>>(
    async (events) => {
      const found = new Map((await deps.findRecorded(events)).map((entry) => [entry.eventId, entry]));
      return events.map((event) => found.get(event.id) ?? { eventId: event.id, isOpen: false, integrationIds: [] });
    },
    { cache: false, maxBatchSize: 200, batchScheduleFn: (callback) => setImmediate(callback) },
  );

  const hasRoom = (): boolean => acks.size < maxInFlight && bytes < maxInFlightBytes;
  const settleWaiting = (): void => {
    if (hasRoom()) for (const resolve of waitingForRoom.splice(0)) resolve();
    if (acks.size === 0) for (const resolve of waitingForNone.splice(0)) resolve();
  };
  const finish = (event: Event): void => {
    const entry = acks.get(event.id);
    if (!entry) return;
    acks.delete(event.id);
    bytes -= entry.bytes;
    done.add(event.id);
    if (done.size > maxRemembered / 2) [doneBefore, done] = [done, new Set()];
    entry.ack();
    deps.onAcked?.();
    settleWaiting();
  };

  /** Answers what to wait for before the next one, if anything. */
  const dispatch = (event: Event, lanes: readonly Lane[]): Promise<void> | undefined => {
    const entry: Dispatch = { position: event.position, lease, missing: lanes.length, onDone: () => finish(event) };
    if (lanes.length === 0) recorder.nothing(entry);
    for (const lane of lanes) lane.offer(firstWork(event, entry, lane.integration().id));
    const rooms = lanes.flatMap((lane) => lane.room() ?? []);
    return rooms.length > 0 ? Promise.all(rooms).then(() => undefined) : undefined;
  };

  const firstWork = (event: Event, entry: Dispatch, integrationId: Id<'intg'>): Work => {
    const deliveryId = newId('dlv');
    return {
      kind: 'first',
      deliveryId,
      integrationId,
      event,
      lease,
      attempts: 0,
      scheduleStart: 0,
      since: performance.now(),
      isOurs: deps.isHeld,
      settle: (state, onRecorded) => {
        const outcome: FirstOutcome = {
          ...state,
          id: deliveryId,
          eventId: event.id,
          eventType: event.type,
          position: event.position,
          organizationId: event.organizationId,
          formId: event.formId,
          responseId: event.responseId,
          integrationId,
          lease,
        };
        recorder.first(entry, outcome, onRecorded);
      },
    };
  };

  /** Everything that has to wait waits in one line. A step that fails is repeated while the lease holds. */
  const enchain = (step: (round: number) => Promise<void>): void => {
    const link: Promise<void> = (chain ?? Promise.resolve())
      .then(() => persist(step))
      .finally(() => {
        if (chain === link) chain = undefined;
      });
    chain = link;
  };
  const persist = async (step: (round: number) => Promise<void>): Promise<void> => {
    for (let round = 0; deps.isHeld(); round += 1) {
      try {
        return await step(round);
      } catch (error) {
        deps.onError(error);
        await sleep(250);
      }
    }
  };

  const admitSuspect = (event: Event): void => {
    const early = lookup.load(event); // now, so that many are asked about at once
    early.catch(() => undefined); // reported where it is awaited
    enchain(async (round) => {
      const { isOpen, integrationIds } = await (round === 0 ? early : lookup.load(event));
      if (!isOpen) return finish(event);
      const lanes = await deps.lanesFor(event);
      return dispatch(event, lanes.filter((lane) => !integrationIds.includes(lane.integration().id)));
    });
  };

  const admit = (incoming: Incoming): Promise<void> | undefined => {
    const { event } = incoming;
    // one that was published again is looked up all the same: its row may be back in the outbox
    if (!incoming.suspect && (done.has(event.id) || doneBefore.has(event.id))) {
      incoming.ack();
      return undefined;
    }
    const again = acks.get(event.id);
    if (again) {
      again.ack = incoming.ack;
      return undefined;
    }
    acks.set(event.id, { ack: incoming.ack, bytes: event.body.byteLength });
    bytes += event.body.byteLength;
    if (incoming.suspect) {
      admitSuspect(event);
      return undefined;
    }
    const lanes = chain ? undefined : deps.lanesFor(event);
    if (Array.isArray(lanes)) return dispatch(event, lanes);
    lanes?.catch(() => undefined); // reported where it is awaited
    enchain(async (round) => dispatch(event, await (round === 0 && lanes ? lanes : deps.lanesFor(event))));
    return undefined;
  };

  return {
    handle: (incoming) => {
      const room = admit(incoming) ?? Promise.resolve();
      return hasRoom() || !deps.isHeld() ? room : new Promise((resolve) => waitingForRoom.push(resolve));
    },
    drained: () => (acks.size === 0 ? Promise.resolve() : new Promise((resolve) => waitingForNone.push(resolve))),
    abandon: () => {
      for (const resolve of [...waitingForRoom.splice(0), ...waitingForNone.splice(0)]) resolve();
    },
    inFlight: () => acks.size,
  };
}
