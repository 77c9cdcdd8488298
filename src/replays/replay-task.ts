import type { EventType } from '../events/event.ts';
import type { Id } from '../events/id.ts';

/** missed: what was due and was not delivered · everything: also what was */
export const replayModes = ['missed', 'everything'] as const;
export type ReplayMode = (typeof replayModes)[number];

/** What a replay sends again: events of one form. Times are RFC 3339. */
export interface ReplayTask {
  formId: Id<'form'>;
  eventTypes: EventType[];
  /** Accepted then or later, and before `until`. */
  since: string;
  until: string;
  /** Positions: after the first, and up to the second. */
  after: number;
  through: number;
  mode: ReplayMode;
  /** Deliveries a second to each integration, at most. */
  rate: number;
}

/** As quick as a backfill is. */
export const mostRate = 500;
export const defaultRate = 50;
