import { eventTypes, type EventType } from '../events/event.ts';
import { isId, type Id } from '../events/id.ts';
import { decodeCursor, positionOfKey } from '../graphql/cursor.ts';
import { UserError } from '../user-error.ts';
import { defaultRate, mostRate, type ReplayMode, type ReplayTask } from './replay-task.ts';

/** What somebody asks to have sent again. Times and cursors hold together. */
export interface ReplayRequest {
  formId: string;
  /** Default: all that get deliveries. */
  integrationIds?: readonly string[] | null | undefined;
  /** Default: all. */
  eventTypes?: readonly EventType[] | null | undefined;
  since?: Date | null | undefined;
  /** Default: now. */
  until?: Date | null | undefined;
  /** A cursor of the form's responses or of a subscription: what comes after it. */
  after?: string | null | undefined;
  /** What is up to this one, and it. */
  through?: string | null | undefined;
  mode: ReplayMode;
  rate?: number | null | undefined;
}

/** With the positions as far as they were named. Throws UserError where it makes no sense. */
export function readRequest(request: ReplayRequest, now: Date): Omit<ReplayTask, 'formId'> & { formId: Id<'form'> } {
  const { formId, since, until, mode, rate } = request;
  if (!isId('form', formId)) throw noForm();
  const [after, through] = [placeOf('after', request.after), placeOf('through', request.through)];
  if (!since && after === undefined) throw new UserError('INVALID_INPUT', 'Say where it begins: `since` a time, or `after` a cursor.', ['since']);
  const [begin, end] = [since ?? new Date(0), until && until < now ? until : now];
  if (begin >= end) throw new UserError('INVALID_INPUT', 'The time ends before it begins.', ['until']);
  if (after !== undefined && through !== undefined && after >= through) throw new UserError('INVALID_INPUT', 'This cursor is not behind `after`.', ['through']);
  const chosen = request.eventTypes?.length ? [...new Set(request.eventTypes)] : [...eventTypes];
  return {
    formId, mode, eventTypes: chosen, since: begin.toISOString(), until: end.toISOString(),
    after: after ?? -Infinity, through: through ?? Infinity, rate: readRate(rate),
  };
}

/** Throws UserError. */
export function readRate(rate: number | null | undefined, otherwise = defaultRate): number {
  const chosen = rate ?? otherwise;
  if (chosen >= 1 && chosen <= mostRate) return chosen;
  throw new UserError('INVALID_INPUT', `A rate is from 1 to ${mostRate} deliveries a second.`, ['rate']);
}

function placeOf(name: string, cursor: string | null | undefined): number | undefined {
  if (cursor === null || cursor === undefined) return undefined;
  const place = positionOfKey(decodeCursor(cursor) ?? '');
  if (place !== undefined) return place;
  throw new UserError('INVALID_INPUT', 'This is no cursor of responses or of a subscription.', [name]);
}

export const noForm = (): UserError => new UserError('NOT_FOUND', 'Your organisation has no form with this id.', ['formId']);
