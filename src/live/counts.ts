/** Why a subscription ended, as it is counted: the code that its subscriber was told, or that it went by itself. */
export const endings = ['LEFT', 'TOO_SLOW', 'UNAUTHENTICATED', 'PERMISSIONS_CHANGED', 'FORBIDDEN', 'SHUTTING_DOWN', 'OTHER'] as const;
export type Ending = (typeof endings)[number];

/** Whose limit there was no place within: see `LivePlaces`, and the operations of one WebSocket. */
export const placeLimits = ['process', 'caller', 'address', 'socket'] as const;
export type PlaceLimit = (typeof placeLimits)[number];

/** What a stretch is read for: what is new, for all who wait for it; or what somebody missed. */
export const readings = ['live', 'catch_up'] as const;
export type Reading = (typeof readings)[number];

/** The ending that a code is counted as. There is a row for each, and one for all that nobody expects: codes are no bounded set. */
export const endingOfCode = (code: unknown): Ending => endings.find((known) => known === code) ?? 'OTHER';

/** Counts that only grow, by labels that are all there from the beginning, with 0. */
export class Count<Label extends string> {
  readonly #counts: Map<Label, number>;

  constructor(labels: Iterable<Label>) {
    this.#counts = new Map([...labels].map((label) => [label, 0]));
  }

  add(label: Label, by = 1): void {
    this.#counts.set(label, (this.#counts.get(label) ?? 0) + by);
  }

  get entries(): ReadonlyMap<Label, number> {
    return this.#counts;
  }
}

/** What has become of the subscriptions of a process since it began. */
export interface LiveCounts {
  /** Items handed over, by the subscription's field; one that a thousand are told counts a thousand. */
  told: Count<string>;
  /** Stretches read from PostgreSQL and executed. */
  read: Count<Reading>;
  ended: Count<Ending>;
  refused: Count<PlaceLimit>;
}

/** `fields`: of the schema's subscriptions. */
export const createLiveCounts = (fields: Iterable<string>): LiveCounts => ({
  told: new Count(fields),
  read: new Count(readings),
  ended: new Count(endings),
  refused: new Count(placeLimits),
});
