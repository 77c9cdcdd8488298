import { drive, type drive_v3 } from '@googleapis/drive';
import { sheets, type sheets_v4 } from '@googleapis/sheets';
import { OAuth2Client } from 'google-auth-library';
import { z } from 'zod';
import type { AccessTokens, TokenContext } from './access-tokens.ts';
import { accountName, type Credentials } from './credentials.ts';
import { GoogleTrouble, troubleOf, type ErrorReply } from './trouble.ts';

export interface Clients {
  drive: drive_v3.Drive;
  sheets: sheets_v4.Sheets;
  /** To be given with each call: the clients try nothing again by themselves, and end with the provider's call. */
  options: { signal: AbortSignal };
}

/** Google as one call of the provider sees it. */
export interface Google {
  /** Makes a call and reads its answer. Throws GoogleTrouble for what the world does. */
  ask<Answer>(answer: z.ZodType<Answer>, call: (clients: Clients) => Promise<{ data: unknown }>): Promise<Answer>;
}

/** How long one call of Google may take; a large batch has been seen to take tens of seconds. */
const askTimeoutMs = 45_000;

export function openGoogle(tokens: AccessTokens, credentials: Credentials, context: TokenContext): Google {
  const { signal, now, serviceUrl } = context;
  const root = serviceUrl('google');
  const account = accountName(credentials);

  const once = async (call: (clients: Clients) => Promise<{ data: unknown }>): Promise<unknown> => {
    const token = await tokens.of(credentials, context);
    if (signal.aborted) throw interrupted(signal);
    const limit = AbortSignal.any([signal, AbortSignal.timeout(askTimeoutMs)]);
    try {
      return (await call({ ...clientsFor(token, root), options: { signal: limit } })).data;
    } catch (error) {
      const reply = replyIn(error);
      if (reply?.httpStatus === 401) tokens.forget(credentials);
      if (reply) throw new GoogleTrouble(troubleOf(reply, { account, now: now() }));
      throw signal.aborted ? interrupted(signal) : failed(error, limit);
    }
  };

  return {
    async ask(answer, call) {
      const data = await once(call).catch((error: unknown) => (isUnauthenticated(error) ? once(call) : Promise.reject(error)));
      const parsed = answer.safeParse(data);
      if (!parsed.success) throw new GoogleTrouble({ status: 'retry', error: 'RESPONSE_INVALID', reason: 'Google answered something that makes no sense.' });
      return parsed.data;
    },
  };
}

function clientsFor(token: string, root: string | undefined): Omit<Clients, 'options'> {
  const auth = new OAuth2Client();
  auth.setCredentials({ access_token: token });
  const options = { auth, retry: false, ...(root === undefined ? {} : { rootUrl: `${root}/` }) };
  return { drive: drive({ version: 'v3', ...options }), sheets: sheets({ version: 'v4', ...options }) };
}

/** A token may end before its time; a new one tells whether the access did. */
const isUnauthenticated = (error: unknown): boolean => error instanceof GoogleTrouble && 'httpStatus' in error.trouble && error.trouble.httpStatus === 401;

/** Why nothing more is asked: the time limit of the provider's call, or the process is stopping. */
export function interrupted(signal: AbortSignal): GoogleTrouble {
  const isLate = signal.reason instanceof Error && signal.reason.name === 'TimeoutError';
  return new GoogleTrouble(isLate ? late : { status: 'retry', error: 'ABORTED', reason: 'The call was ended before Google answered.' });
}

const late = { status: 'retry', error: 'TIMEOUT', reason: 'Google did not answer in time.' } as const;

function failed(error: unknown, limit: AbortSignal): unknown {
  if (limit.aborted) return new GoogleTrouble(late);
  const code = codeIn(error);
  if (!isOfTheClients(error)) return error;
  const reason = code === 'ECONNREFUSED' ? 'Google refused the connection.' : `The connection to Google failed${code === undefined ? '' : ` (${code})`}.`;
  return new GoogleTrouble({ status: 'retry', error: 'CONNECTION', reason });
}

/** The clients wrap all that goes wrong in an error with the request's configuration; of that nothing may get out. */
const isOfTheClients = (error: unknown): boolean => error instanceof Error && 'config' in error;

function codeIn(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const own = 'code' in error && typeof error.code === 'string' && /^[A-Z_]+$/.test(error.code) ? error.code : undefined;
  return own ?? codeIn(error.cause);
}

const named = z.object({ reason: z.string() });
const errorBody = z.object({
  error: z.object({ message: z.string().catch(''), status: z.string().optional(), errors: z.array(named.catch({ reason: '' })).catch([]), details: z.array(named.catch({ reason: '' })).catch([]) }),
});
const thrownReply = z.object({ response: z.object({ status: z.number(), data: z.unknown(), headers: z.unknown() }) });

/** The answer that the clients threw; undefined where there was none. */
function replyIn(error: unknown): ErrorReply | undefined {
  const thrown = thrownReply.safeParse(error);
  if (!thrown.success) return undefined;
  const { status: httpStatus, data, headers } = thrown.data.response;
  const body = errorBody.safeParse(data).data?.error;
  const reasons = [...(body?.errors ?? []), ...(body?.details ?? [])].map(({ reason }) => reason).filter(Boolean);
  return { httpStatus, reasons, message: body?.message ?? '', retryAfter: retryAfterIn(headers) };
}

/** The clients bring a `fetch` of their own along, whose headers are not those of the process. */
function retryAfterIn(headers: unknown): string | undefined {
  if (typeof headers !== 'object' || headers === null || !('get' in headers) || typeof headers.get !== 'function') return undefined;
  const value: unknown = headers.get('retry-after');
  return typeof value === 'string' ? value : undefined;
}
