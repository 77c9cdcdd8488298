/** One bound of the surface: what it bounds, what a request past it is answered, and why it stands where it does. */
export interface Limit {
  what: string;
  value: number;
  unit: string;
  /** In `extensions.code` of the error. */
  code: string;
  /** Of HTTP. A request error is 400 as `application/graphql-response+json`, and 200 as `application/json`. */
  status: number;
  why: string;
}

const mebibyte = 1024 * 1024;
const seconds = 1_000;

/** Every bound of a request, with its error; the table in the README says the same. Rates are in the configuration. */
export const limits = {
  bodyBytes: { what: 'body of a request', value: 4 * mebibyte, unit: 'bytes', code: 'BODY_TOO_LARGE', status: 413, why: 'holds the thousand responses of a `submitResponses`; refused before it is read where its length is announced' },
  callbackBytes: { what: 'body of a callback', value: 64 * 1024, unit: 'bytes', code: 'BODY_TOO_LARGE', status: 413, why: 'a status message has 1 KiB' },
  callbackMs: { what: 'time of a callback', value: 10 * seconds, unit: 'ms', code: 'TIMED_OUT', status: 503, why: 'the service calls again' },
  bodyQuietMs: { what: 'pause within a body', value: 5 * seconds, unit: 'ms', code: 'BODY_TOO_SLOW', status: 408, why: 'who sends nothing must not hold memory' },
  bodyBytesPerSecond: { what: 'body of a request, from its sixth second on, at least', value: 1024, unit: 'bytes a second', code: 'BODY_TOO_SLOW', status: 408, why: 'a 2G uplink sends 2,000 and more' },
  bufferedBytes: { what: 'bodies being read, of all callers; past it the slowest gives way', value: 128 * mebibyte, unit: 'bytes', code: 'OVERLOADED', status: 503, why: 'a quarter of the memory a process is expected to take' },
  addressBufferedBytes: { what: 'bodies being read, of one address', value: 32 * mebibyte, unit: 'bytes', code: 'OVERLOADED', status: 503, why: 'no caller can take the memory of all' },
  requests: { what: 'requests under way in one process', value: 5_000, unit: 'requests', code: 'OVERLOADED', status: 503, why: 'each holds memory until it is answered' },
  operationMs: { what: 'time of one operation (`FORMWIRE_OPERATION_TIMEOUT`)', value: 30 * seconds, unit: 'ms', code: 'TIMED_OUT', status: 503, why: 'its statements are cancelled in PostgreSQL; a mutation answers `OUTCOME_UNKNOWN`' },
  tokens: { what: 'tokens of a document', value: 10_000, unit: 'tokens', code: 'TOO_MANY_TOKENS', status: 400, why: 'stops the parser' },
  depth: { what: 'depth of a selection', value: 15, unit: 'levels', code: 'TOO_DEEP', status: 400, why: 'the deepest sensible query has 9' },
  rootFields: { what: 'fields of an operation itself', value: 100, unit: 'fields', code: 'TOO_MANY_ROOT_FIELDS', status: 400, why: 'so also the mutations of one request' },
  fields: { what: 'fields and spreads, each fragment counted wherever it is spread', value: 5_000, unit: 'fields', code: 'TOO_MANY_FIELDS', status: 400, why: 'validation takes time by their square' },
  aliases: { what: 'aliases, each fragment counted wherever it is spread', value: 200, unit: 'aliases', code: 'TOO_MANY_ALIASES', status: 400, why: 'each is the same work once more' },
  directives: { what: 'directives, each fragment counted wherever it is spread', value: 100, unit: 'directives', code: 'TOO_MANY_DIRECTIVES', status: 400, why: 'every one is looked at for every object' },
  variables: { what: 'variables of a request', value: 100, unit: 'variables', code: 'TOO_MANY_VARIABLES', status: 400, why: 'the largest mutation needs one' },
  inputDepth: { what: 'depth of an input, JSON included', value: 80, unit: 'levels', code: 'INPUT_TOO_DEEP', status: 400, why: 'JSON may have 64 of its own' },
  listItems: { what: 'items of a list in an input', value: 1_000, unit: 'items', code: 'LIST_TOO_LONG', status: 400, why: 'as many responses as one `submitResponses` takes; JSON values have bounds of their own' },
  answerBytes: { what: 'answer of an operation', value: 64 * mebibyte, unit: 'bytes', code: 'ANSWER_TOO_LARGE', status: 200, why: 'what is made of few objects can be long as text; a mutation was done all the same' },
  cost: { what: 'fields that an answer may come to', value: 250_000, unit: 'fields', code: 'TOO_COSTLY', status: 400, why: 'what one process can hold in memory' },
  subscriptionCost: { what: 'fields that one event of a subscription may come to', value: 10_000, unit: 'fields', code: 'TOO_COSTLY', status: 400, why: 'it is executed again for each event' },
  subscriptions: { what: 'subscriptions in one process', value: 5_000, unit: 'subscriptions', code: 'OVERLOADED', status: 503, why: 'each holds some 110 KiB' },
  callerSubscriptions: { what: 'subscriptions of one API key or member in one process', value: 2_000, unit: 'subscriptions', code: 'TOO_MANY_SUBSCRIPTIONS', status: 429, why: 'no caller can take the room of all' },
  addressSubscribers: { what: 'connections for subscriptions of one address in one process', value: 2_000, unit: 'connections', code: 'TOO_MANY_SUBSCRIPTIONS', status: 429, why: 'also those that say nothing yet' },
  socketSubscriptions: { what: 'operations under way on one WebSocket', value: 100, unit: 'operations', code: 'TOO_MANY_SUBSCRIPTIONS', status: 429, why: 'they share what the connection holds' },
  socketMessageBytes: { what: 'message that comes over a WebSocket', value: 65_536, unit: 'bytes', code: '1009', status: 413, why: 'each may hold one that has not come whole; what is longer goes over HTTP' },
  subscriptionChars: { what: 'query and variables of a subscription', value: 5_000, unit: 'characters', code: 'SUBSCRIPTION_TOO_LONG', status: 400, why: 'they are kept for as long as it lasts' },
  callerSubscriptionChars: { what: 'queries and variables of the subscriptions of one API key or member in one process, the same query once', value: 250_000, unit: 'characters', code: 'TOO_MANY_SUBSCRIPTIONS', status: 429, why: 'parsed they take some 38 MiB, and four callers fill a process' },
  processSubscriptionChars: { what: 'queries and variables of the subscriptions of one process, the same query once', value: 1_000_000, unit: 'characters', code: 'OVERLOADED', status: 503, why: 'parsed they take some 150 MiB' },
  socketInitMs: { what: 'time until a WebSocket says who it is', value: 5 * seconds, unit: 'ms', code: '4408', status: 408, why: 'who says nothing must not hold a place' },
  unreadItems: { what: 'events that a subscriber falls behind the others', value: 1_000, unit: 'events', code: 'TOO_SLOW', status: 200, why: 'it is ended with its cursor; nobody else waits for it' },
  unreadBytes: { what: 'bytes that wait for one subscriber; past it, it falls behind', value: 262_144, unit: 'bytes', code: 'TOO_SLOW', status: 200, why: 'what is not read must not fill the memory' },
  unreadMs: { what: 'time without reading anything of what is there', value: 30 * seconds, unit: 'ms', code: 'TOO_SLOW', status: 200, why: 'a connection may be gone without a word' },
} as const satisfies Record<string, Limit>;

export type LimitName = keyof typeof limits;

/** The numbers alone, as the server takes them; tests lower them. */
export type ApiLimits = Record<LimitName, number>;

export const defaultApiLimits = Object.fromEntries(Object.entries(limits).map(([name, { value }]) => [name, value])) as ApiLimits;
