/** What goes wrong with a request, on top of an optional delay. `applied`: whether the request took effect all the same. */
export type Outcome =
  | { kind: 'reply'; reply: FaultReply; applied?: boolean }
  /** The connection is reset, before or after the request took effect. */
  | { kind: 'drop'; applied: boolean }
  /** No answer, until the simulator closes. */
  | { kind: 'hang'; applied: boolean }
  /** Takes effect and answers 200 with something that is no JSON. */
  | { kind: 'malformed' }
  /** Takes effect, promises the whole body, sends half of it and resets the connection. */
  | { kind: 'truncated' };

export interface FaultReply {
  status: number;
  headers?: Record<string, string>;
  /** Sent as JSON, a string as it is. */
  body?: unknown;
}

export interface Fault<Request> {
  /** Which requests it is for; default: every one. Asked once for each request, in the order of the faults. */
  when?(request: Request): boolean;
  /** How many requests it is for; default 1. */
  times?: number;
  /** How long the request waits before anything happens to it. */
  delayMs?: number;
  /** How long its answer waits after it took effect. */
  answerDelayMs?: number;
  /** Default: after the delay all goes well. */
  outcome?: Outcome;
}

export interface Faults<Request> {
  /** The fault stands until it is used up or the returned scope ends. The first that fits a request is its only one. */
  add(fault: Fault<Request>): Disposable;
  clear(): void;
  /** Takes the fault of a request, counting it. */
  take(request: Request): Fault<Request> | undefined;
}

export function createFaults<Request>(): Faults<Request> {
  const standing: { fault: Fault<Request>; left: number }[] = [];
  const remove = (entry: (typeof standing)[number]): void => {
    const place = standing.indexOf(entry);
    if (place >= 0) standing.splice(place, 1);
  };
  return {
    add(fault) {
      const entry = { fault, left: fault.times ?? 1 };
      standing.push(entry);
      return { [Symbol.dispose]: () => remove(entry) };
    },
    clear: () => void standing.splice(0),
    take(request) {
      const entry = standing.find(({ fault }) => fault.when?.(request) ?? true);
      if (entry === undefined) return undefined;
      entry.left -= 1;
      if (entry.left <= 0) remove(entry);
      return entry.fault;
    },
  };
}

/**
 * Numbers in [0, 1) that are the same for the same seed, for faults that strike at random and can be repeated:
 *
 *     const random = createRandom(7);
 *     google.faults.add({ when: () => random() < 0.1, times: Infinity, outcome: { kind: 'drop', applied: true } });
 *
 * Source: Marsaglia, "Xorshift RNGs", the 32-bit triple (13, 17, 5).
 */
export function createRandom(seed: number): () => number {
  let state = seed | 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}
