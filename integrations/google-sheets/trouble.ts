import type { Outcome } from '../provider.ts';
import { retryAfterMs } from '../retry-after.ts';

/** How a call of Google failed, in the words of outcomes; `refused`: Google will not take what was sent as it is. */
export type Trouble = Extract<Outcome, { status: 'retry' | 'throttled' | 'blocked' }> | { status: 'refused'; reason: string; httpStatus: number };

/** An expected failure on its way to whoever called the provider, where it is an outcome again. */
export class GoogleTrouble extends Error {
  readonly trouble: Trouble;
  constructor(trouble: Trouble) {
    super(trouble.reason);
    this.trouble = trouble;
  }
}

/** For what is as good as done where the thing is not there any more. Throws all else again. */
export function unlessGone(error: unknown): void {
  if (!(error instanceof GoogleTrouble) || !('httpStatus' in error.trouble) || error.trouble.httpStatus !== 404) throw error;
}

/** Whether Google will not take what was sent, whoever sends it and whenever. */
export const isRefusal = (error: unknown): error is GoogleTrouble => error instanceof GoogleTrouble && error.trouble.status === 'refused';

/** What Google answered instead of what it was asked for. */
export interface ErrorReply {
  httpStatus: number;
  /** `rateLimitExceeded`, `SERVICE_DISABLED`; of the token endpoint `invalid_grant`. */
  reasons: readonly string[];
  message: string;
  /** Of the header: seconds, or an HTTP date. */
  retryAfter?: string | undefined;
}

/**
 * Tells what an error of Drive or of Sheets means. By its reason first: one status is many things.
 * `account` as `accountName` says it.
 * Source: Drive API, "Resolve errors"; Sheets API, "Usage limits".
 */
export function troubleOf(reply: ErrorReply, { account, now }: { account: string; now: Date }): Trouble {
  const { httpStatus, reasons, message } = reply;
  const is = (known: ReadonlySet<string>): boolean => reasons.some((reason) => known.has(reason));
  const evidence = { httpStatus, responseBody: cut([reasons[0], message].filter(Boolean).join(': ')) };
  const blocked = (sentence: string): Trouble => ({ status: 'blocked', reason: sentence, ...evidence });
  if (is(throttling) || httpStatus === 429) {
    return { status: 'throttled', reason: 'Google takes no more for now: its quota is used up.', ...waitOf(reply, now), ...evidence };
  }
  if (reasons.includes('storageQuotaExceeded')) return blocked(storageSentence(message, account));
  if (is(full)) return blocked('The folder or the shared drive is full: Google takes no more files there.');
  if (/number of cells .* above the limit/i.test(message)) return blocked('The spreadsheet is full: delete rows, columns or tabs of your own that are not needed.');
  if (is(disabled)) return blocked('The Google Sheets API and the Google Drive API must be enabled in the Google Cloud project of these credentials.');
  if (httpStatus === 401 || is(narrow)) return blocked(`Google does not take the access of ${account} any more, or not for spreadsheets: connect it again.`);
  if (httpStatus === 403) return blocked(`Google says that ${account} may not do this; give it the right to change the spreadsheet and its folder again.`);
  if (httpStatus === 404) return blocked(`The spreadsheet or its folder was deleted, or ${account} may not see it any more.`);
  if (httpStatus >= 400 && httpStatus < 500 && httpStatus !== 408) return { status: 'refused', reason: `Google refused the request: ${sentence(message)}`, httpStatus };
  return { status: 'retry', error: 'HTTP_STATUS', reason: `Google answered ${httpStatus}.`, ...waitOf(reply, now), ...evidence };
}

/** The same for the token endpoint. Source: RFC 6749, 5.2; Google, "Using OAuth 2.0". */
export function tokenTroubleOf(reply: ErrorReply, about: { account: string; now: Date }): Trouble {
  const { httpStatus, reasons } = reply;
  if (httpStatus === 429 || httpStatus >= 500) return troubleOf(reply, about);
  const why = reasons.includes('invalid_client') ? 'Google does not know the OAuth client, or its secret is another one now' : 'Google gives no access any more: it was revoked or has run out';
  return { status: 'blocked', reason: `${why}. Connect ${about.account} again, with a new key or a new grant.`, httpStatus, responseBody: cut(reasons.join(' ')) };
}

const throttling = new Set(['rateLimitExceeded', 'userRateLimitExceeded', 'quotaExceeded', 'dailyLimitExceeded', 'sharingRateLimitExceeded']);
const full = new Set(['teamDriveFileLimitExceeded', 'numChildrenInNonRootLimitExceeded']);
const narrow = new Set(['insufficientPermissions', 'ACCESS_TOKEN_SCOPE_INSUFFICIENT']);
const disabled = new Set(['accessNotConfigured', 'SERVICE_DISABLED']);

const storageSentence = (message: string, account: string): string =>
  /service account/i.test(message)
    ? `A service account has no storage of its own: give the id of a shared drive, or of a folder in one, that ${account} may write to.`
    : `The storage of ${account} is full.`;

const waitOf = ({ retryAfter }: ErrorReply, now: Date): { afterMs?: number } => {
  const afterMs = retryAfterMs(retryAfter, now);
  return afterMs === undefined ? {} : { afterMs };
};

/** Google quotes what it does not like, which may be an answer. */
const sentence = (message: string): string => `${cut(message.replaceAll(/"[^"]*"/g, '"…"')).replace(/\.+$/, '')}.`;

const cut = (text: string): string => (text.length > 300 ? `${text.slice(0, 300)}…` : text);
