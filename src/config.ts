import { z } from 'zod';
import { logLevels } from './log.ts';

export const roles = ['api', 'relay', 'dispatcher'] as const;
export type Role = (typeof roles)[number];

const unitMs: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Milliseconds of `250ms`, `5s`, `30m`, `2h`, `14d` (of 24 hours); undefined where the text is none of these. */
export function millisecondsOf(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text.trim());
  const factor = unitMs[match?.[2] ?? ''];
  return factor === undefined ? undefined : Number(match?.[1]) * factor;
}

/** A timer of Node's that is longer than 24 days goes off at once, again and again. */
const longestWait = '240h';
/** A hundred years: for ever, and a time that PostgreSQL can reckon with. */
export const longestKept = '876000h';

const duration = (atLeast: string, atMost = longestWait) =>
  z.string().transform((text, context) => {
    const message = whyNoDuration(text, atLeast, atMost);
    if (message === undefined) return millisecondsOf(text) ?? 0;
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  });

function whyNoDuration(text: string, atLeast: string, atMost: string): string | undefined {
  const [ms, least = 0, most = Infinity] = [text, atLeast, atMost].map(millisecondsOf);
  if (ms === undefined) return `"${text}" is no duration; write a number and ms, s, m, h or d: 250ms, 5s, 30m, 2h, 14d`;
  if (ms < least) return `must be at least ${atLeast}, not ${text.trim()}`;
  return ms > most ? `must be at most ${atMost}, not ${text.trim()}` : undefined;
}

const maxRetries = 50;
const schedule = z
  .string()
  .transform((text) => text.split(','))
  .pipe(z.array(duration('1ms')).max(maxRetries, `must be ${maxRetries} waits at most`));

const count = (min: number, max: number) => {
  const range = `must be between ${min} and ${max}`;
  return z.string().transform(Number).pipe(z.number('must be a number').int('must be a whole number').min(min, range).max(max, range));
};

const share = z.string().transform(Number).pipe(z.number('must be a number').min(0, 'must be between 0 and 1').max(1, 'must be between 0 and 1'));

/** `500:5000`: so many a second, and so many at once after a rest. */
const rate = z.string().transform((text, context) => {
  if (text.trim() === 'off') return 'off' as const;
  const [ratePerSecond, burst] = (/^(\d+):(\d+)$/.exec(text.trim()) ?? []).slice(1).map(Number);
  if (ratePerSecond && burst && ratePerSecond <= 1_000_000 && burst >= ratePerSecond && burst <= 10_000_000) return { ratePerSecond, burst };
  context.addIssue({ code: 'custom', message: `"${text}" is no rate; write tokens a second and tokens at once (at least as many, 10000000 at most), such as 500:5000, or off` });
  return z.NEVER;
});

const maxTokens = 5;
const tokens = z
  .string()
  .transform((text) => text.split(',').map((token) => token.trim()))
  .pipe(z.array(z.string().min(16, 'must have at least 16 characters')).max(maxTokens, `must be ${maxTokens} tokens at most`));

/** Without a slash at the end: paths are added to it. */
const publicUrl = z.url({ protocol: /^https?$/, error: 'must be an http:// or https:// URL' }).transform((url) => url.replace(/\/+$/, ''));

/** `google=http://127.0.0.1:41000,twilio=…` */
const namedUrls = z.string().transform((text, context) => {
  const pairs = text.split(',').map((part) => /^([a-z]+)=(.+)$/.exec(part.trim())?.slice(1) ?? [part.trim()]);
  const wrong = pairs.find(([, url]) => !publicUrl.safeParse(url).success);
  if (!wrong) return Object.fromEntries(pairs.map(([name, url]) => [name, publicUrl.parse(url)])) as Record<string, string>;
  context.addIssue({ code: 'custom', message: `must be name=url, separated by commas, such as google=http://127.0.0.1:41000; "${wrong[0]}" is not` });
  return z.NEVER;
});

const natsProtocols = ['nats:', 'tls:', 'ws:', 'wss:'];
const areNatsUrls = (text: string): boolean => text.split(',').every((part) => natsProtocols.includes(URL.parse(part.trim())?.protocol ?? ''));

/**
 * Every variable, with its unit and default; the table in ops/README.md says the same. An empty variable is an absent one.
 */
const environment = z.object({
  HOST: z.string().default('127.0.0.1').describe('address the API listens on'),
  PORT: count(0, 65_535).default(4000).describe('port the API listens on; 0 takes a free one'),
  DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/, error: 'must be a postgresql:// URL' }).optional().describe('PostgreSQL 15 or newer instead of the embedded one'),
  NATS_URL: z.string().refine(areNatsUrls, 'must be nats://, tls://, ws:// or wss:// URLs, separated by commas').optional().describe('NATS 2.9 or newer with JetStream instead of the embedded one; several servers separated by commas, with user and password, or a token, in the first'),
  FORMWIRE_NATS_CREDENTIALS: z.string().optional().describe('path of a file that says who we are to the NATS of NATS_URL, instead of a user there: credentials (.creds) or the seed of an nkey'),
  FORMWIRE_DATA: z.string().default('.data').describe('folder of the embedded servers and of generated keys'),
  FORMWIRE_ROLES: z
    .string()
    .transform((text) => text.split(',').map((role) => role.trim()))
    .pipe(z.array(z.enum(roles, { error: ({ input }) => `"${String(input)}" is no role; write api, relay or dispatcher, or several separated by commas` })))
    .default([...roles])
    .describe('what this process does: api, relay, dispatcher, separated by commas'),
  FORMWIRE_LOG_LEVEL: z.enum(logLevels, `must be ${logLevels.join(', ')}`).default('info').describe('debug, info, warn, error or silent'),
  FORMWIRE_PROBE_PORT: count(0, 65_535).default(4001).describe('port of /livez, /readyz and /metrics in a process without the API, at HOST; 0 takes a free one'),
  FORMWIRE_METRICS_TOKEN: tokens.optional().describe('what must be sent as Authorization: Bearer … to get /metrics, or several, separated by commas, of which any will do; without it they are given to whoever does not come through a proxy'),
  OTEL_EXPORTER_OTLP_ENDPOINT: publicUrl.optional().describe('where traces are sent by OTLP over HTTP, such as http://127.0.0.1:4318; without it there are none'),
  FORMWIRE_TRACE_SHARE: share.default(1).describe('which part of the traces is sent: 1 all, 0.01 one of a hundred'),
  FORMWIRE_JWT_KEY: z.string().optional().describe('Ed25519 private key (PKCS 8, PEM) that signs access tokens; needed with DATABASE_URL'),
  FORMWIRE_JWT_OLD_KEYS: z.string().optional().describe('Ed25519 keys (PEM, private or public, one after the other) whose access tokens are still taken'),
  FORMWIRE_SECRETS_KEY: z.string().optional().describe('32 bytes in base64 that secrets in the settings of integrations are encrypted with; needed with DATABASE_URL'),
  FORMWIRE_SECRETS_OLD_KEYS: z.string().optional().describe('keys, separated by commas, that what they encrypted is still read with'),
  FORMWIRE_TRUSTED_PROXIES: count(0, 10).default(0).describe('proxies of yours in front of the API: the client is that many entries from the end of X-Forwarded-For; 0 ignores the header'),
  FORMWIRE_INTROSPECTION: z.enum(['signed-in', 'everyone', 'nobody'], 'must be signed-in, everyone or nobody').default('signed-in').describe('who may ask the API for its schema, and is told names similar to a wrong one: signed-in, everyone, nobody'),
  FORMWIRE_OPERATION_TIMEOUT: duration('100ms').default(30_000).describe('how long one operation of the API may take; default 30s'),
  FORMWIRE_RATE_KEY: rate.default({ ratePerSecond: 1_000, burst: 10_000 }).describe('calls of one API key: a second, and at once after a rest; off: any; default 1000:10000'),
  FORMWIRE_RATE_USER: rate.default({ ratePerSecond: 1_000, burst: 10_000 }).describe('calls of one member, as above; default 1000:10000'),
  FORMWIRE_RATE_ADDRESS: rate.default({ ratePerSecond: 1_000, burst: 10_000 }).describe('calls without an account from one address (IPv6: one /64), as above; default 1000:10000'),
  FORMWIRE_RATE_FORM: rate.default({ ratePerSecond: 500, burst: 5_000 }).describe('responses without an account to one form, as above; default 500:5000'),
  FORMWIRE_NATS_SERVER: z.string().optional().describe('path of the nats-server to embed'),
  FORMWIRE_ALLOW_LOOPBACK: z.enum(['true', 'false'], 'must be true or false').transform((text) => text === 'true').optional().describe('whether webhooks may go to loopback addresses; default: only with the embedded database'),
  FORMWIRE_PUBLIC_URL: publicUrl.optional().describe('where outside services reach the API, such as https://forms.example.org; without it they are asked instead of calling back'),
  FORMWIRE_OUTSIDE_URLS: namedUrls.default({}).describe('where outside services stand that are not where their makers put them, such as simulators: name=url, separated by commas'),
  FORMWIRE_STREAM_REPLICAS: count(1, 5).default(1).describe('copies of the stream in a NATS cluster'),
  FORMWIRE_STREAM_MAX_AGE: duration('1m', longestKept).default(14 * 86_400_000).describe('how long the stream keeps events; default 336h'),
  FORMWIRE_ATTEMPT_RETENTION: duration('1m', longestKept).default(90 * 86_400_000).describe('how long the attempts of a finished delivery are kept, with what its receiver answered; default 2160h'),
  FORMWIRE_ENDED_RETENTION: duration('1h', longestKept).default(30 * 86_400_000).describe('how long jobs, invitations and API keys are kept after their end, and the notes of a deleted integration; default 720h'),
  FORMWIRE_DATABASE_CONNECTIONS: count(18, 500).default(20).describe('connections to PostgreSQL of one process, at most'),
  FORMWIRE_RETRY_SCHEDULE: schedule
    .default([5_000, 300_000, 1_800_000, 7_200_000, 18_000_000, 36_000_000, 50_400_000, 72_000_000, 86_400_000])
    .describe('waits before the second, third … attempt; after the last the delivery is dead; default 5s,5m,30m,2h,5h,10h,14h,20h,24h'),
  FORMWIRE_RETRY_POLL: duration('10ms').default(500).describe('how often due retries are looked for; default 500ms'),
  FORMWIRE_BREAKER_FAILURES: count(1, 1000).default(10).describe('failures in a row after which a receiver is only probed'),
  FORMWIRE_SPILL_AFTER: duration('10ms').default(5_000).describe('how long a delivery waits in its lane before it is recorded as pending; default 5s'),
  FORMWIRE_LEASE: duration('500ms').default(10_000).describe('how long a dead dispatcher keeps its partitions; default 10s'),
  FORMWIRE_SWEEP_AFTER: duration('100ms').default(10_000).describe('age at which an outbox row is looked after; default 10s'),
  FORMWIRE_STOP_DELAY: duration('0ms').default(0).describe('how long a stopping API takes requests after /readyz has said that it stops: longer than a load balancer needs to notice; default 0s'),
  FORMWIRE_DRAIN: duration('0ms').default(20_000).describe('how long a stopping process waits for what is in flight; default 20s'),
});

export type Config = z.output<typeof environment>;

/** One line for each variable: name, description, default. For ops/README.md and `--help`. */
export const variables = Object.entries(environment.shape).map(([name, schema]) => ({ name, description: schema.description ?? '' }));

/** Kubernetes gives every container such variables for a service that is named formwire. */
const isServiceLink = (name: string, value = ''): boolean =>
  name.startsWith('FORMWIRE_SERVICE_') || name.startsWith('FORMWIRE_PORT_') || (name === 'FORMWIRE_PORT' && value.startsWith('tcp://'));

/** Reads the configuration; throws one Error that names every variable that is wrong, and how. */
export function parseConfig(env: Record<string, string | undefined>): Config {
  const present = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ''));
  const parsed = environment.safeParse(present);
  const unknown = Object.keys(present).filter((name) => name.startsWith('FORMWIRE_') && !(name in environment.shape) && !isServiceLink(name, present[name]));
  if (parsed.success && unknown.length === 0) return parsed.data;
  const lines = [
    ...(parsed.error?.issues ?? []).map((issue) => `${String(issue.path[0])}: ${issue.message}`),
    ...unknown.map((name) => `${name}: there is no such variable; ops/README.md lists all`),
  ];
  throw new Error(`The configuration is wrong.\n  ${lines.join('\n  ')}`);
}

/** Where programs on this machine reach an API that listens so: `0.0.0.0` and `::` are every address, and none to call. */
export function localUrl({ HOST, PORT }: Pick<Config, 'HOST' | 'PORT'>): string {
  const host = { '0.0.0.0': '127.0.0.1', '::': '::1' }[HOST] ?? HOST;
  return `http://${host.includes(':') ? `[${host}]` : host}:${PORT}`;
}
