import type { Json } from '../events/canonical-json.ts';
import type { UserErrorCode } from '../user-error.ts';
import type { StoredAnswer } from './response.entity.ts';

/** Why a value is no answer to its question: `reason` goes on after the question's name. `index`: which of a list. */
export class Refusal {
  readonly reason: string;
  readonly code: UserErrorCode;
  readonly index: number | undefined;

  constructor(reason: string, details: { code?: UserErrorCode; index?: number } = {}) {
    this.reason = reason;
    this.code = details.code ?? 'ANSWER_INVALID';
    this.index = details.index;
  }
}

/** Reads one value that a client sent, never null, into what is stored. A value on refusal, never an exception: this is the hot path. */
export type ReadValue = (value: Json) => StoredAnswer['value'] | Refusal;

/** What was sent instead, as the end of a sentence; the usual mistake, a number or boolean in quotes, is named. */
export function hint(value: Json): string {
  if (typeof value === 'string') return `; ${quoted(value)} is a text`;
  if (typeof value === 'object') return Array.isArray(value) ? '; a list was sent' : '; an object was sent';
  return `; ${value} was sent`;
}

/** What a client sent, fit to stand in a message: short, and well-formed. */
export function quoted(text: string): string {
  const shown = text.length > 60 ? `${text.slice(0, 60)}…` : text;
  return JSON.stringify(shown.toWellFormed());
}
