import type { z } from 'zod';
import type { Json } from '../src/events/canonical-json.ts';
import type { Event } from '../src/events/event.ts';
import type { AnswerType, Scope } from '../src/expressions/value-type.ts';

/**
 * The code for one kind of outside service. A provider is a folder beside this file that exports one of these, and one
 * line in `index.ts`. It never acks, retries or reads the database: it is told what to send and says what happened.
 */
export interface Provider<Settings = unknown> {
  /** Stable, stored with every integration: `webhook`, `googleSheets`. Also the member of the GraphQL input. */
  name: string;
  title: string;
  description: string;
  /** Parses an integration's settings; the GraphQL input and the JSON Schema in the API are made from it. */
  settings: z.ZodType<Settings>;
  limits: ProviderLimits;
  /** Checks settings that parse, with what only the running process knows. Returns what is wrong, in a sentence. */
  refuse?(settings: Settings, network: NetworkPolicy): string | undefined;
  /** Made once when an integration is created, and shown once in the mutation's answer. */
  createSecret?(): string;
  /** Whether first deliveries of one form must go out in the order the responses came in. */
  isOrdered?(settings: Settings): boolean;
  /** What all integrations of an outside account share: each call takes a turn at each of these. */
  quotas?(settings: Settings): readonly QuotaRate[];
  /**
   * Makes settings ready to check the responses to one version of a form, before they are accepted. Called when the
   * settings are saved, which faults refuse, and for each version of the form from then on; see `FormCheck`.
   */
  prepareCheck?(settings: Settings, form: FormShape): FormCheck;
  /** Sends a batch; answers one outcome for each, in the same order. Throws only where this code is wrong. */
  deliver(batch: readonly DeliveryRequest[], context: DeliverContext<Settings>): Promise<Outcome[]>;
}

/** What a provider may know of a form's version. */
export interface FormShape {
  title: string;
  questions: readonly QuestionShape[];
}

export interface QuestionShape extends AnswerType {
  key: string;
  text: string;
}

/**
 * Looks at a response before it is accepted, within the submitting call: it must be done in microseconds and must not
 * wait. What cannot be checked any more, since the form has changed, is a finding as well: nothing is silently skipped.
 */
export interface FormCheck {
  /** What of the settings does not fit the form. `path` leads into the settings. */
  faults: readonly { message: string; path: readonly (string | number)[] }[];
  /** `answers` by key, choices by their texts; what is absent was not answered. */
  check(answers: Scope): Finding[];
}

/** What a check has against a response: it is accepted with a flag, or refused. */
export interface Finding {
  severity: 'flag' | 'refuse';
  /** Its name, unique in the integration. */
  rule: string;
  /** A sentence for whoever can mend the response. */
  message: string;
  /** The questions it is about. */
  keys: readonly string[];
}

export interface ProviderLimits {
  /** How many deliveries one call may take. */
  batchSize: number;
  /** How many bytes of events one call may take; the first one always fits. Default: any. */
  batchBytes?: number;
  /** How long a call waits for more deliveries to come along with the first. Default: not at all. */
  batchWaitMs?: number;
  /** How many calls of one integration run at a time in one process. */
  concurrency: number;
  /** How long a call may take before its signal aborts. */
  timeoutMs: number;
}

/**
 * How often an outside service may be called by all who share `name` (`google:account:…`), in all processes, and how
 * many calls may come at once after a rest, at least 1. No minute has more than `perMinute + burst` of them.
 */
export interface QuotaRate {
  name: string;
  perMinute: number;
  burst: number;
}

/** One event for one integration, again and again until it is delivered. `attempt` counts from 1. */
export interface DeliveryRequest {
  event: Event;
  attempt: number;
}

export interface DeliverContext<Settings> {
  settings: Settings;
  /** Signing keys, newest first; empty where the provider makes none. */
  secrets: readonly string[];
  /** Aborts at the call's time limit and at shutdown. */
  signal: AbortSignal;
  http: HttpClient;
  ledger: Ledger;
  now: () => Date;
}

/**
 * Durable notes of one integration, for effects that must not happen twice: what is noted before a call outside is
 * still known after a crash in the middle of it. Keys are the provider's own, of 1 to 200 characters, at most 1,000 at
 * a time; a state takes at most 4 KiB as JSON.
 */
export interface Ledger {
  /** A place for each key, 0, 1, 2 …: once and for ever, never another's. New keys get the next ones, in their order. */
  reserve(keys: readonly string[]): Promise<Map<string, number>>;
  /** What is there of these keys. */
  read(keys: readonly string[]): Promise<Map<string, LedgerEntry>>;
  /** Notes a state of each key, unless another one than `was` is there (null: none). Answers the keys it noted. */
  note(notes: readonly { key: string; state: Json; was: Json | null }[]): Promise<Set<string>>;
}

export interface LedgerEntry {
  place: number | null;
  state: Json | null;
}

/** What became of one delivery. `reason` is a sentence the integration's owner understands, without secrets. */
export type Outcome =
  | ({ status: 'delivered' } & Evidence)
  /** May succeed later. `afterMs`: the receiver asked for this wait. */
  | ({ status: 'retry'; error: DeliveryError; reason: string; afterMs?: number } & Evidence)
  /** The service takes nothing for a while, from nobody's fault: waits, and costs no attempt. Default: a minute. */
  | ({ status: 'throttled'; reason: string; afterMs?: number } & Evidence)
  /** Nothing can succeed until somebody mends something outside. Is probed, and costs no attempt. */
  | ({ status: 'blocked'; reason: string } & Evidence)
  /** This delivery can never succeed. */
  | ({ status: 'rejected'; error: DeliveryError; reason: string } & Evidence)
  /** The integration itself needs its owner: a revoked token, an endpoint that is gone. */
  | ({ status: 'broken'; error: DeliveryError; reason: string } & Evidence);

/** What the receiver answered, for the delivery log. */
export interface Evidence {
  httpStatus?: number;
  /** At most 4 KiB of it. */
  responseBody?: string;
}

/** Classes of failure, for the delivery log and for metrics. */
export type DeliveryError =
  | 'HTTP_STATUS'
  | 'TIMEOUT'
  | 'CONNECTION'
  | 'TLS'
  | 'ADDRESS_REFUSED'
  | 'RESPONSE_INVALID'
  | 'ABORTED'
  | 'PROVIDER_FAULT';

/** Which addresses integrations may reach. Loopback is allowed only where the product runs on embedded servers. */
export interface NetworkPolicy {
  allowLoopback: boolean;
  /** What is wrong with a URL to send to, in a sentence; undefined where nothing is. Asks no name server. */
  whyUrlRefused(url: string): string | undefined;
}

/** Posts to addresses that pass the network policy. Never follows a redirect; never throws for what the world does. */
export interface HttpClient {
  post(request: HttpPost): Promise<HttpReply>;
}

export interface HttpPost {
  url: string;
  headers: Record<string, string>;
  body: Uint8Array;
  /** For the whole exchange, to the last byte of the reply. */
  timeoutMs: number;
  signal: AbortSignal;
}

export type HttpReply =
  | { kind: 'response'; status: number; headers: Record<string, string | string[] | undefined>; body: string }
  | { kind: 'failure'; error: DeliveryError; message: string };
