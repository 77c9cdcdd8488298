/** Every code a caller can meet in a payload's `errors`. A code keeps its meaning for ever and is never reused. */
export const userErrorCodes = [
  'NOT_FOUND',
  'INVALID_INPUT',
  'TAKEN',
  'INVALID_CREDENTIALS',
  'INVITATION_INVALID',
  'LAST_OWNER',
  'QUESTION_UNKNOWN',
  'QUESTION_AMBIGUOUS',
  'ANSWER_REQUIRED',
  'ANSWER_REPEATED',
  'ANSWER_INVALID',
  'ANSWER_HIDDEN',
  'CONDITION_BROKEN',
  'RULE_BROKEN',
  'FORM_NOT_OPEN_YET',
  'FORM_CLOSED',
  'FORM_FULL',
  'ALREADY_SUBMITTED',
  'IDEMPOTENCY_MISMATCH',
  'REVISION_CONFLICT',
  'RESPONSE_ERASED',
  'TOO_MANY',
  'UNAVAILABLE',
] as const;
export type UserErrorCode = (typeof userErrorCodes)[number];

/** One fault of an input: what is wrong, where (`path` into the input), and what to do, in a sentence. */
export interface Fault {
  code: UserErrorCode;
  message: string;
  path: readonly (string | number)[];
}

/** Thrown where the caller can mend it; a mutation answers it in its payload's `errors`. Carries at least one fault. */
export class UserError extends Error {
  override name = 'UserError';
  readonly faults: readonly Fault[];

  constructor(faults: readonly Fault[]);
  constructor(code: UserErrorCode, message: string, path?: readonly (string | number)[]);
  constructor(first: UserErrorCode | readonly Fault[], message = '', path: readonly (string | number)[] = []) {
    const faults = typeof first === 'string' ? [{ code: first, message, path }] : first;
    super(faults.map((fault) => fault.message).join(' '));
    this.faults = faults;
  }
}

/** Why the system cannot serve a call now. Becomes a GraphQL error with `extensions.code`; the call may be repeated. */
export type UnavailableCode = 'OVERLOADED' | 'DATABASE_UNAVAILABLE' | 'SHUTTING_DOWN' | 'RATE_LIMITED' | 'TOO_MANY_SUBSCRIPTIONS';

/** Thrown where nothing is wrong with the call: it was refused, or its outcome is not known. `retryAfterMs` tells when to try again. */
export class UnavailableError extends Error {
  override name = 'UnavailableError';
  readonly code: UnavailableCode;
  readonly retryAfterMs: number;

  constructor(code: UnavailableCode, message: string, retryAfterMs: number, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.retryAfterMs = retryAfterMs;
  }
}
