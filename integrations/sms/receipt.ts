import { z } from 'zod';

/**
 * What the ledger knows of the one receipt of a response, over all its revisions:
 *
 *     none ──▶ sending ──▶ accepted
 *               │ ▲  │ ▲       ▲
 *               ▼ │  ▼ │       │
 *           refused  unknown ──┘
 *
 * `sending` is noted before Twilio is called. Whoever finds it later does not know what came of the call: the answer was
 * lost, or the process that noted it is gone, or it is still at it. `unknown`: it was looked for in vain and given up,
 * until a callback says that it is there, or somebody delivers it again and would rather have it twice. Numbers and texts
 * are hashes.
 */
const receipt = z.discriminatedUnion('status', [
  z.object({
    status: z.enum(['sending', 'unknown']),
    eventId: z.string(),
    /** From 1; more where an earlier one may have arrived, and it was chosen to send again. */
    copy: z.int(),
    at: z.string(),
    to: z.string(),
    text: z.string(),
  }),
  /** Twilio has it, under this SID: that is the end. */
  z.object({ status: z.literal('accepted'), eventId: z.string(), sid: z.string() }),
  /** Twilio said no, or was not reached: nothing went out as this copy. */
  z.object({ status: z.literal('refused'), eventId: z.string(), copy: z.int(), code: z.int().nullable() }),
]);

export type Receipt = z.output<typeof receipt>;
export type Sending = Extract<Receipt, { status: 'sending' | 'unknown' }>;

/** A receipt as the ledger has it. Throws for anything else. */
export const parseReceipt = (state: unknown): Receipt => receipt.parse(state);

/** What is to be done for an event, by what is known of its response's receipt. */
export type Step =
  | { kind: 'send'; copy: number }
  | { kind: 'done' }
  /** Another event's receipt is all there is to be, or may be. */
  | { kind: 'skip'; reason: string }
  | { kind: 'wait'; afterMs: number }
  | { kind: 'settle'; sending: Sending };

const times = {
  /** How long until Twilio's list surely shows a message that it took. */
  settle: 120_000,
  /** How soon to look again at a receipt that another event is at: as much later as it is at it already. */
  otherEvent: { least: 60_000, most: 3_600_000 },
  /** How long another event's receipt may be unknown: its delivery has settled it long before, or is none any more. */
  abandoned: 48 * 3_600_000,
} as const;

interface Facts {
  eventId: string;
  now: Date;
  /** Whether nothing is lost by doing it again: nothing is really sent. */
  isSimulated: boolean;
}

/** Decides what to do for an event. Only one event at a time, in one process, gets from here to a call: see `noteReceipt`. */
export function nextStep(known: Receipt | undefined, { eventId, now, isSimulated }: Facts): Step {
  if (known === undefined) return { kind: 'send', copy: 1 };
  const isOwn = known.eventId === eventId;
  switch (known.status) {
    case 'refused':
      return { kind: 'send', copy: known.copy };
    case 'accepted':
      return isOwn ? { kind: 'done' } : { kind: 'skip', reason: 'A receipt of this response was sent already.' };
    case 'sending':
    case 'unknown':
      if (isSimulated) return { kind: 'send', copy: known.copy };
      if (isOwn) return { kind: 'settle', sending: known };
      return waitForOther(known, now.getTime() - Date.parse(known.at));
  }
}

function waitForOther({ status }: Sending, ageMs: number): Step {
  const { abandoned, otherEvent } = times;
  if (status === 'unknown' || ageMs >= abandoned) return { kind: 'skip', reason: 'A receipt of this response may have been sent already.' };
  return { kind: 'wait', afterMs: Math.min(Math.max(ageMs, otherEvent.least), otherEvent.most) };
}

/** What follows where Twilio does not show a message whose outcome is unknown. */
export type Unsettled = { kind: 'wait'; afterMs: number } | { kind: 'send'; copy: number } | { kind: 'giveUp' };

/** Waits until a message would surely be seen; then the owner's choice. */
export function afterNotFound(sending: Sending, { now, unknownOutcome }: { now: Date; unknownOutcome: 'atMostOnce' | 'atLeastOnce' }): Unsettled {
  const leftMs = Date.parse(sending.at) + times.settle - now.getTime();
  if (leftMs > 0) return { kind: 'wait', afterMs: leftMs };
  return unknownOutcome === 'atLeastOnce' ? { kind: 'send', copy: sending.copy + 1 } : { kind: 'giveUp' };
}
