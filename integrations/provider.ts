import type { z } from 'zod';
import type { Json } from '../src/events/canonical-json.ts';
import type { Event, EventType } from '../src/events/event.ts';
import type { Id } from '../src/events/id.ts';
import type { AnswerType, Scope } from '../src/expressions/value-type.ts';

/**
 * The code for one kind of outside service. A provider is a folder beside this file that exports one of these, and one
 * line in `index.ts`. It never acks, retries or reads the database: it is told what to do and says what happened.
 * Only `name` to `limits` are needed, and one of `deliver` and `prepareCheck`; each other member is there for who needs it.
 */
export interface Provider<Settings = unknown> {
  /** Stable, stored with every integration: `webhook`, `googleSheets`. Also the member of the GraphQL input. */
  name: string;
  title: string;
  description: string;
  /** Parses an integration's settings; the GraphQL input and the JSON Schema in the API are made from it. */
  settings: z.ZodType<Settings>;
  limits: ProviderLimits;

  /** Whether an integration is for one form, which its settings speak of; otherwise it may be for all of an organisation. */
  needsForm?: boolean;
  /** What an integration gets where its owner names no types. Default: `response.created`. */
  defaultEvents?: readonly EventType[];
  /** Checks settings that parse, with what only the running process knows. Returns what is wrong, in a sentence. */
  refuse?(settings: Settings, network: NetworkPolicy): string | undefined;
  /** What of the settings does not fit a version of the form: refused when they are saved, reported when the form changes. */
  unfit?(settings: Settings, form: FormShape): readonly SettingsFault[];
  /** Whether what it sends reaches people, who would be bothered by old news: a replay leaves it out, unless that was asked for. */
  reachesPeople?: boolean;
  /** Made when an integration is created and when its secret is rotated, and shown once in the mutation's answer. */
  createSecret?(): string;
  /** Whether first deliveries of one form must go out in the order the responses came in. */
  isOrdered?(settings: Settings): boolean;
  /** What all integrations of an outside account share within an organisation: each call takes a turn at each of these. */
  quotas?(settings: Settings): readonly QuotaRate[];
  /** What would be sent for an event, to be looked at before the settings are saved. Sends nothing. */
  preview?(event: Event, about: { settings: Settings; form: FormShape }): Json;

  /** Makes settings ready to check the responses to one version of a form, before they are accepted. Such an integration is for one form. */
  prepareCheck?(settings: Settings, form: FormShape): ResponseCheck;
  /** Sends a batch; answers one outcome for each, in the same order. Throws only where this code is wrong. */
  deliver?(batch: readonly DeliveryRequest[], context: CallContext<Settings>): Promise<Outcome[]>;

  /**
   * Brings the outside service to what the integration and its form say now: creates the spreadsheet, adds its columns.
   * Called when the integration is created or changed and when the form changes, in the background, again after any
   * failure: whatever is there already is found again and left. Deliveries do not wait for it.
   */
  connect?(context: CallContext<Settings>): Promise<Settled<{ resourceUrl?: string }>>;
  /** Takes away what `connect` made, when the integration or its form was deleted. Called again after any failure. */
  disconnect?(context: CallContext<Settings>): Promise<Settled>;
  /**
   * Compares the outside service with responses as they are now, a page at a time in the order of their ids, and says
   * which are not there as they should be; these are delivered again where the owner wants repairs.
   */
  verify?(page: VerifyPage, context: CallContext<Settings>): Promise<Settled<Verified>>;
  /** Takes a request that the outside service made to `callbackUrl`, whoever may have sent it. */
  callback?(request: CallbackRequest, context: CallContext<Settings>): Promise<CallbackReply>;
  /** Asks the outside service what became of what it took, where no callback has said so, and notes it by `track`. */
  follow?(trackings: readonly Tracking[], context: CallContext<Settings>): Promise<void>;
}

/** What a provider may know of a form's version. */
export interface FormShape {
  id: Id<'form'>;
  title: string;
  version: number;
  /** Where its people are reached: the form's contact address or else its owner's. */
  email: string;
  questions: readonly QuestionShape[];
}

export interface QuestionShape extends AnswerType {
  id: Id<'q'>;
  key: string;
  text: string;
}

/** `path` leads into the settings. */
export interface SettingsFault {
  message: string;
  path: readonly (string | number)[];
}

/**
 * Looks at a response before it is accepted, within the submitting call: it must be done in microseconds and must not
 * wait. `answers` by key, choices by their texts; what is absent was not answered. What cannot be checked any more, since
 * the form has changed, is a finding as well: nothing is silently skipped.
 */
export type ResponseCheck = (answers: Scope) => Finding[];

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
 * How often an outside service may be called by all of an organisation who share `name` (`google:account:…`), in all processes, and how
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
  /** The replay that sends it, for a receiver that can be told. */
  replayId?: Id<'rpl'>;
}

/** What a call is about, and what it may use. */
export interface CallContext<Settings> {
  integrationId: Id<'intg'>;
  settings: Settings;
  /** Signing keys that have not ended, newest first: sign with each. Empty where the provider makes none. */
  secrets: readonly string[];
  /** Aborts at the call's time limit and at shutdown. */
  signal: AbortSignal;
  http: HttpClient;
  ledger: Ledger;
  /** Writes a line to the log of this process, named like an event (`sms.simulated`). Never answers or secrets, but where the owner asked for it. */
  log(event: string, about: Readonly<Record<string, Json>>): void;
  now: () => Date;
  /** The form at its newest version known here, which is `atLeast` this one; undefined where it, or the integration's form, is none. */
  form(atLeast?: number): Promise<FormShape | undefined>;
  /** Where the outside service can call back; undefined where this installation has no public URL. A query may be added. */
  callbackUrl: string | undefined;
  /** Notes what became of deliveries after they were taken. What has a lower or the same rank as what is known is left out. */
  track(trackings: readonly Tracking[]): Promise<void>;
  /** Where an outside service (`google`) stands, if not where its maker put it. Without a slash at the end. */
  serviceUrl(name: string): string | undefined;
}

/** What the outside service says of something it took: a message on its way. Shown with the delivery. */
export interface Tracking {
  eventId: Id<'evt'>;
  /** What the service knows it by. */
  reference: string;
  /** In the service's words: `sent`, `undelivered`. */
  status: string;
  /** Grows along the way of a message, so that news in disorder do no harm. */
  rank: number;
  /** Nothing else will come of it. */
  isFinal: boolean;
  /** A sentence about what went wrong. */
  detail?: string;
}

/** How a call ended that is about no delivery: done, or as an outcome says. */
export type Settled<Result = object> = ({ status: 'done' } & Result) | Extract<Outcome, { status: 'retry' | 'throttled' | 'blocked' | 'broken' }>;

export interface VerifyPage {
  /** `response.created` events of the current revisions, at most 500. */
  events: readonly Event[];
  /** Ids of erased responses among them: first revisions' ids. */
  erased: readonly Id<'resp'>[];
  isLast: boolean;
  /** Whether to mend at once what no delivery would: rows that belong to nobody. */
  repair: boolean;
}

export interface Verified {
  /** What is not as it should be, by the id of the revision. */
  differing: readonly { responseId: Id<'resp'>; difference: string }[];
  /** What is there and should not be, in a sentence each. */
  surplus: readonly string[];
}

export interface CallbackRequest {
  method: string;
  /** As the outside service called it: from the public URL on, with its query. */
  url: string;
  headers: Record<string, string | string[] | undefined>;
  /** At most 64 KiB. */
  body: string;
}

/** `wake`: the events whose deliveries, if they are pending, are worth another attempt at once. */
export interface CallbackReply {
  httpStatus: 200 | 204 | 400 | 403 | 404;
  wake?: readonly Id<'evt'>[];
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
  note(notes: readonly LedgerNote[]): Promise<Set<string>>;
}

export interface LedgerNote {
  key: string;
  state: Json;
  was: Json | null;
  /** From then on it is of no use, and may be gone. Absent: it is there as long as its integration. */
  forgetAt?: Date;
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
  /** This delivery alone has to wait, while others go on. Costs no attempt. */
  | ({ status: 'deferred'; reason: string; afterMs: number } & Evidence)
  /** There is nothing to be sent for this event: it is canceled, for this reason. */
  | ({ status: 'skipped'; reason: string } & Evidence)
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
  /** The service refused what was sent, in words of its own. */
  | 'REFUSED'
  /** Nobody can say whether the service took it, and sending it again could do it twice. */
  | 'OUTCOME_UNKNOWN'
  | 'PROVIDER_FAULT';

/** Which addresses integrations may reach. Loopback is allowed only where the product runs on embedded servers. */
export interface NetworkPolicy {
  allowLoopback: boolean;
  /** What is wrong with a URL to send to, in a sentence; undefined where nothing is. Asks no name server. */
  whyUrlRefused(url: string): string | undefined;
}

/** Calls addresses that pass the network policy. Never follows a redirect; never throws for what the world does. */
export interface HttpClient {
  /** For receivers that know a repeat: a connection that was lost before the reply is made once more at once. */
  post(request: HttpPost): Promise<HttpReply>;
  /** Asks once and no more, for services that would do a thing twice. */
  exchange(request: HttpExchange): Promise<HttpReply>;
}

export interface HttpPost {
  url: string;
  headers: Record<string, string>;
  body: Uint8Array;
  /** For the whole exchange, to the last byte of the reply. */
  timeoutMs: number;
  signal: AbortSignal;
}

export interface HttpExchange extends HttpPost {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** How much of the reply to keep, at most 1 MiB; the rest is cut off. Default: 4 KiB. */
  maxReplyBytes?: number;
}

/**
 * `isSent`: the receiver may have got some or all of it. `isOurSetting`: the address is refused by a setting of this
 * process alone, and the integration's owner has nothing to mend: another process may be allowed to reach it.
 */
export type HttpReply =
  | { kind: 'response'; status: number; headers: Record<string, string | string[] | undefined>; body: string }
  | { kind: 'failure'; error: DeliveryError; message: string; isSent: boolean; isOurSetting?: boolean };
