import type { Twilio } from 'twilio';
import type { CallContext, DeliveryError, HttpReply } from '../provider.ts';
import { accountOf, type SmsSettings } from './settings.ts';

/** What came of a request to Twilio. */
export type TwilioReply<Value> = { kind: 'answer'; value: Value } | Refusal | Unanswered;

/** Twilio said no, and did nothing. */
export interface Refusal {
  kind: 'refusal';
  httpStatus: number;
  /** Twilio's own; undefined where it names none. */
  code: number | undefined;
  /** How long it asks to wait. */
  afterMs?: number;
}

/** There was no answer that tells what happened. `isSent`: it may have happened. */
export interface Unanswered {
  kind: 'unanswered';
  error: DeliveryError;
  message: string;
  isSent: boolean;
  httpStatus?: number;
}

type TwilioContext = Pick<CallContext<SmsSettings>, 'settings' | 'http' | 'signal' | 'serviceUrl'>;

/**
 * Lets `use` ask Twilio through its own library, which goes through our HTTP client: once, within `callMs`, until the
 * call's signal aborts, and only to addresses that are allowed. The library comes with the first use: it takes 0.2 s and
 * 33 MB, which those without receipts need not spend.
 */
export async function askTwilio<Value>(context: TwilioContext, use: (twilio: Twilio) => Promise<Value>): Promise<TwilioReply<Value>> {
  const twilio = await openTwilio(context);
  try {
    return { kind: 'answer', value: await use(twilio) };
  } catch (error) {
    if (error instanceof NoAnswer) return error.reply;
    throw error;
  }
}

/** Of one request. */
export const callMs = 10_000;

async function openTwilio(context: TwilioContext): Promise<Twilio> {
  const { default: createTwilio } = await import('twilio');
  const { accountSid, authToken } = accountOf(context.settings);
  // The empty texts keep the library from looking for a region and an edge in the environment.
  const twilio = createTwilio(accountSid, authToken, { httpClient: httpClient(context), edge: '', region: '' });
  const url = context.serviceUrl('twilio');
  if (url !== undefined) twilio.api.baseUrl = url;
  return twilio;
}

type LibraryClient = NonNullable<NonNullable<ConstructorParameters<typeof Twilio>[2]>['httpClient']>;
type LibraryRequest = Parameters<LibraryClient['request']>[0];

/** Carries what is no answer past the library, which would leave half of it out. */
class NoAnswer extends Error {
  override name = 'NoAnswer';
  readonly reply: Refusal | Unanswered;
  constructor(reply: Refusal | Unanswered) {
    super(reply.kind);
    this.reply = reply;
  }
}

/** The library asks its HTTP client for nothing but `request`; the rest of the class is axios'. */
const httpClient = (context: TwilioContext): LibraryClient =>
  ({
    request: async (request: LibraryRequest) => {
      const reply = await context.http.exchange({
        url: urlOf(request),
        method: request.method === 'post' ? 'POST' : 'GET',
        headers: { ...lowerCased(request.headers ?? {}), authorization: basicAuthorization(request) },
        body: Buffer.from(encoded(request.data ?? {})),
        timeoutMs: callMs,
        maxReplyBytes: 1_048_576,
        signal: context.signal,
      });
      return answerOf(reply);
    },
  }) as unknown as LibraryClient;

const urlOf = ({ uri, params }: LibraryRequest): string => (params ? `${uri}?${encoded(params)}` : uri);

const basicAuthorization = ({ username = '', password = '' }: LibraryRequest): string => `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;

const lowerCased = (headers: object): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), String(value)]));

function encoded(members: object): string {
  const given = Object.entries(members as Record<string, unknown>).filter(([, value]) => value !== undefined);
  return new URLSearchParams(given.map(([name, value]): [string, string] => [name, String(value)])).toString();
}

function answerOf(reply: HttpReply): { statusCode: number; body: unknown; headers: object } {
  if (reply.kind === 'failure') throw new NoAnswer({ ...reply, kind: 'unanswered' });
  const { status, headers } = reply;
  const body = parsed(reply.body);
  if (status >= 200 && status < 300) {
    if (body !== undefined) return { statusCode: status, body, headers };
    throw new NoAnswer(unclear('RESPONSE_INVALID', `Twilio answered ${status} with something else than JSON.`, status));
  }
  throw new NoAnswer(isRefusal(status) ? refusalOf({ status, body, headers }) : unclear('HTTP_STATUS', `Twilio answered ${status}.`, status));
}

/** 408 says that the request took too long, and not that nothing came of it; a redirect or a 500 says nothing at all. */
const isRefusal = (status: number): boolean => status >= 400 && status < 500 && status !== 408;

const unclear = (error: DeliveryError, message: string, httpStatus: number): Unanswered => ({ kind: 'unanswered', error, message, isSent: true, httpStatus });

function refusalOf(reply: { status: number; body: unknown; headers: Extract<HttpReply, { kind: 'response' }>['headers'] }): Refusal {
  const { status: httpStatus, body, headers } = reply;
  const code = isRecord(body) && typeof body['code'] === 'number' ? body['code'] : undefined;
  const seconds = Number(headers['retry-after']);
  return { kind: 'refusal', httpStatus, code, ...(seconds > 0 && { afterMs: seconds * 1_000 }) };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
