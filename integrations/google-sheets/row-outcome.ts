import type { Outcome } from '../provider.ts';
import type { EventRow } from './event-row.ts';
import type { Trouble } from './trouble.ts';
import type { RowOutcome } from './write-part.ts';

/** What a call did about the row of a response. */
export type RowNote =
  | { status: 'tried'; outcome: RowOutcome }
  /** A newer revision is there, or on its way, already. */
  | { status: 'outdated' }
  /** It was erased before it had a row. */
  | { status: 'rowless' }
  /** Another process noted a revision of it at the same time. */
  | { status: 'disputed' };

/** What became of the delivery of an event that said `event`; undefined where it could not be read. */
export function outcomeOfRow(event: EventRow | undefined, note: RowNote | undefined): Outcome {
  if (!event || !note) return { status: 'rejected', error: 'PROVIDER_FAULT', reason: 'The event holds no response that could be a row.' };
  switch (note.status) {
    case 'outdated':
      return { status: 'delivered', responseBody: 'A newer revision of the response has its row.' };
    case 'rowless':
      return { status: 'delivered', responseBody: 'The response has no row.' };
    case 'disputed':
      return { status: 'deferred', reason: 'Another process writes the same row.', afterMs: 1_000 };
    case 'tried':
      return outcomeOfTry(note.outcome, event);
  }
}

function outcomeOfTry(outcome: RowOutcome, { cut }: EventRow): Outcome {
  switch (outcome.status) {
    case 'written':
      return cut.length === 0 ? { status: 'delivered' } : { status: 'delivered', responseBody: cutSentence(cut) };
    case 'refused':
      return { status: 'rejected', error: 'REFUSED', reason: outcome.reason };
    case 'trouble':
      return outcomeOfTrouble(outcome.trouble);
  }
}

const cutSentence = (cut: readonly string[]): string => `Texts longer than the 50,000 characters that a cell holds were cut: in ${cut.map((title) => `"${title}"`).join(', ')}.`;

/** What is refused without being the row's fault may be taken later. */
export function outcomeOfTrouble(trouble: Trouble): Exclude<Outcome, { status: 'delivered' | 'rejected' | 'deferred' | 'skipped' | 'broken' }> {
  return trouble.status === 'refused' ? { status: 'retry', error: 'REFUSED', reason: trouble.reason, httpStatus: trouble.httpStatus } : trouble;
}
