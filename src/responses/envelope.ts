import type { Json } from '../events/canonical-json.ts';
import type { Fault } from '../user-error.ts';
import { utcTime } from '../calendar.ts';
import { quoted } from './read-value.ts';
import type { Collector, Respondent } from './response.entity.ts';
import { whyJsonUnstorable, whyTextUnstorable } from '../storable.ts';
import type { CollectorInput, EnvelopeInput, RespondentInput } from './submission.ts';

/** What is stored around the answers. */
export interface Envelope {
  clientId: string | null;
  respondent: Respondent;
  collector: Collector;
  metadata: Json;
}

const maxLength = { clientId: 200, mobile: 50, email: 254, name: 500, key: 200, userId: 200, username: 200, location: 500 } as const;

/**
 * Reads what stands around the answers.
 *
 * `faults`, each with its path: texts that cannot be stored or are too long, times that do not exist, metadata out of
 * bounds. Does not judge the respondent's number and address: they are kept as sent.
 *
 * `envelope`, where there are none, as it is stored: only members that were sent and are not null, times in UTC, `{}`
 * for no metadata. Renders the same bytes as what jsonb gives back, which the input does not: a null or undefined member
 * would be there before the round trip and not, or otherwise, after it.
 */
export function readEnvelope(input: EnvelopeInput): { envelope: Envelope; faults: Fault[] } {
  const faults: Fault[] = [];
  const envelope = {
    clientId: readClientId(input.clientId, faults),
    respondent: readRespondent(input.respondent ?? {}, faults),
    collector: readCollector(input.collector ?? {}, faults),
    metadata: readMetadata(input.metadata, faults),
  };
  return { envelope, faults };
}

function readClientId(value: string | null | undefined, faults: Fault[]): string | null {
  if (value === '') faults.push(invalid(['clientId'], 'needs at least 1 character'));
  return readText(value, { path: ['clientId'], max: maxLength.clientId, faults }) ?? null;
}

function readRespondent(input: RespondentInput, faults: Fault[]): Respondent {
  const text = (member: 'mobile' | 'email' | 'name' | 'key') =>
    readText(input[member], { path: ['respondent', member], max: maxLength[member], faults });
  return present({ mobile: text('mobile'), email: text('email'), name: text('name'), key: text('key') });
}

function readCollector(input: CollectorInput, faults: Fault[]): Collector {
  const text = (member: 'userId' | 'username' | 'location') =>
    readText(input[member], { path: ['collector', member], max: maxLength[member], faults });
  const time = (member: 'submittedAt' | 'lastModifiedAt') => readTime(input[member], { path: ['collector', member], faults });
  return present({
    userId: text('userId'),
    username: text('username'),
    location: text('location'),
    submittedAt: time('submittedAt'),
    lastModifiedAt: time('lastModifiedAt'),
  });
}

function readMetadata(value: Json | undefined, faults: Fault[]): Json {
  if (value === undefined || value === null) return {};
  const unstorable = whyJsonUnstorable(value);
  if (unstorable) faults.push(invalid(['metadata', ...unstorable.path], unstorable.reason));
  return value;
}

function readText(value: string | null | undefined, rule: { path: Fault['path']; max: number; faults: Fault[] }): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (value.length > rule.max) rule.faults.push(invalid(rule.path, `is ${value.length} characters long; at most ${rule.max} are kept`));
  const unstorable = whyTextUnstorable(value);
  if (unstorable !== undefined) rule.faults.push(invalid(rule.path, unstorable));
  return value;
}

function readTime(value: string | null | undefined, rule: { path: Fault['path']; faults: Fault[] }): string | undefined {
  if (value === undefined || value === null) return undefined;
  const time = utcTime(value);
  if (time === undefined) rule.faults.push(invalid(rule.path, `must be a time by RFC 3339, such as 2026-11-21T02:15:00Z; ${quoted(value)} is not`));
  return time;
}

const invalid = (path: Fault['path'], reason: string): Fault => ({
  code: 'INVALID_INPUT',
  message: `${path.join('.')} ${reason}.`,
  path,
});

/** Without the members that are undefined: they would be rendered as null before the round trip to jsonb, and not after. */
function present<T extends Record<string, string | undefined>>(members: T): { [Name in keyof T]?: Exclude<T[Name], undefined> } {
  const kept: { [Name in keyof T]?: Exclude<T[Name], undefined> } = {};
  for (const name of Object.keys(members) as (keyof T)[]) {
    const value = members[name];
    if (value !== undefined) kept[name] = value as Exclude<T[typeof name], undefined>;
  }
  return kept;
}
