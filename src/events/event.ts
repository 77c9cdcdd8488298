import { hash } from 'node:crypto';
import type { Id } from './id.ts';

/**
 * Every type of event there is: a noun and a past participle. A revision whose flags are other ones than those of the
 * revision before is `flagged`, or `cleared` if it has none, beside being created or amended.
 */
export const eventTypes = ['response.created', 'response.amended', 'response.flagged', 'response.cleared', 'response.deleted'] as const;
export type EventType = (typeof eventTypes)[number];

/**
 * An event on its way. `body` is what a receiver gets by default: made once, sent as it is, and the same bytes again
 * whenever the event is rendered again.
 */
export interface Event {
  id: Id<'evt'>;
  type: EventType;
  organizationId: Id<'org'>;
  formId: Id<'form'>;
  responseId: Id<'resp'>;
  /** Place in the order of all accepted events; grows from one commit to the next. */
  position: number;
  /** How far the organisation's integrations had changed when the event was accepted. */
  integrationsVersion: number;
  body: Uint8Array;
  /** What it is part of, where its way is traced. Source: W3C Trace Context, 3.2. */
  traceparent?: string;
}

export const partitionCount = 16;

/** The two digits of a form's hash that spread subjects over partitions now (`g`) and over finer ones later (`s`). */
export function formHash(formId: string): { g: string; s: string } {
  const known = hashes.get(formId);
  if (known) return known;
  const hex = hash('sha256', formId);
  const digits = { g: hex.charAt(0), s: hex.charAt(1) };
  if (hashes.size >= maxHashes) hashes.clear();
  hashes.set(formId, digits);
  return digits;
}

/** A memo of a pure function, which is asked about every event. */
const hashes = new Map<string, { g: string; s: string }>();
const maxHashes = 10_000;

/** The partition (0 to 15) all events of a form belong to. */
export const partitionOf = (formId: string): number => Number.parseInt(formHash(formId).g, 16);

/** What matches the subjects of all events of a form. */
export function subjectsOfForm(formId: string): string {
  const { g, s } = formHash(formId);
  return `events.${g}.${s}.${formId}.>`;
}

/** The subject an event is published under: `events.<g>.<s>.<formId>.<noun>.<verb>`. */
export function subjectOf(event: Pick<Event, 'formId' | 'type'>): string {
  const { g, s } = formHash(event.formId);
  return `events.${g}.${s}.${event.formId}.${event.type}`;
}
