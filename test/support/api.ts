import { generateKeyPairSync } from 'node:crypto';
import type { MikroORM } from '@mikro-orm/postgresql';
import type { Pool } from 'pg';
import { request } from 'undici';
import { createAccessTokens } from '../../src/accounts/access-tokens.ts';
import { createAccountsService } from '../../src/accounts/accounts.service.ts';
import { createApiKeysService } from '../../src/accounts/api-keys.service.ts';
import { createInvitationsService } from '../../src/accounts/invitations.service.ts';
import { createLoginLimits } from '../../src/accounts/login-limits.ts';
import { createMembersService } from '../../src/accounts/members.service.ts';
import { createPasswords } from '../../src/accounts/passwords.ts';
import { createSessions } from '../../src/accounts/sessions.ts';
import { createStandings, type Standings } from '../../src/accounts/standings.ts';
import { buildSchema } from '../../src/api/schema.ts';
import type { ApiLimits } from '../../src/api/limits.ts';
import type { Introspection } from '../../src/api/prepare.ts';
import type { Readiness } from '../../src/api/probes.ts';
import { createApiServer, type ApiServer } from '../../src/api/server.ts';
import { deliveryOrder } from '../../src/deliveries/delivery-changes.ts';
import { endingWithOperation, makeEndWithOperation } from '../../src/db/operation-scope.ts';
import { openOrm } from '../../src/db/orm.ts';
import { openTenantReads } from '../../src/db/tenant-reads.ts';
import { createFormFilesService } from '../../src/forms/form-files.service.ts';
import { createFormHistoryService } from '../../src/forms/form-history.service.ts';
import { createFormsService } from '../../src/forms/forms.service.ts';
import { createPublishedForms, type PublishedForms } from '../../src/forms/published-forms.ts';
import { createQuestionsService } from '../../src/forms/questions.service.ts';
import { createSectionsService } from '../../src/forms/sections.service.ts';
import type { Services } from '../../src/graphql/context.ts';
import { viewerOfOperation } from '../../src/graphql/on-behalf-of.ts';
import { silentLog, type Log } from '../../src/log.ts';
import { createSettled, eventOrder } from '../../src/outbox/settled.ts';
import { createCallerLimits, type CallerLimits } from '../../src/rate-limits/caller-limits.ts';
import { createRateLimits, type Rates } from '../../src/rate-limits/rate-limits.ts';
import { createTestDatabase, openTestPool } from './database.ts';

/** It never rings: what is new is found by looking. */
const silent = { listen: () => () => undefined, isUp: () => false };
let schema: ReturnType<typeof buildSchema> | undefined;
/** All processes of an installation sign with the same key. */
const { privateKey } = generateKeyPairSync('ed25519');

export interface TestApi extends AsyncDisposable {
  url: string;
  databaseUrl: string;
  pool: Pool;
  /** What services read with for a viewer. */
  reads: Pool;
  orm: MikroORM;
  standings: Standings;
  published: PublishedForms;
  server: ApiServer;
  clock: { now: Date };
  /** Posts an operation and answers its `data`; throws where there are errors. */
  gql<T = any>(query: string, variables?: Record<string, unknown>, token?: string): Promise<T>; // oxlint-disable-line typescript/no-explicit-any -- tests know what they asked for
  /** Posts an operation and answers everything. */
  post(body: unknown, options?: { token?: string; headers?: Record<string, string>; path?: string }): Promise<Reply>;
  /** Registers somebody with an organisation of their own. */
  register(username: string): Promise<{ token: string; userId: string; organizationId: string }>;
}

export interface Reply {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  // oxlint-disable-next-line typescript/no-explicit-any -- tests know what they asked for
  body: any;
}

export interface TestApiOptions {
  limits?: Partial<ApiLimits>;
  closeMs?: number;
  /** Of the server itself. */
  log?: Log;
  introspection?: Introspection;
  /** Of callers; absent: not limited. */
  rates?: Rates;
  /** Another API's, to be another process on it. */
  databaseUrl?: string;
  trustedProxies?: number;
  readiness?: () => Promise<Readiness>;
  extend?: (parts: { pool: Pool; operationPool: Pool; reads: Pool; published: PublishedForms; callers: CallerLimits }) => Partial<Services>;
}

/** The API alone, with accounts and forms, on a database of its own. `extend` adds services of other features. */
export async function startTestApi(options: TestApiOptions = {}): Promise<TestApi> {
  const stack = new AsyncDisposableStack();
  const database = options.databaseUrl === undefined ? stack.use(await createTestDatabase()) : { url: options.databaseUrl };
  const reads = openTenantReads({ url: database.url, max: 4, log: silentLog, viewer: viewerOfOperation });
  makeEndWithOperation(reads);
  stack.defer(() => reads.end());
  const orm = await openOrm(database.url, { poolSize: 8, reads });
  stack.defer(() => orm.close(true));
  const pool = openTestPool(database.url, 8);
  stack.defer(() => pool.end());

  const clock = { now: new Date('2026-11-21T02:15:00.000Z') };
  const now = (): Date => new Date(clock.now);
  const tokens = createAccessTokens({ privateKeyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), now });
  const standings = createStandings({ pool, now });
  const sessions = createSessions({ pool, tokens, standings, log: silentLog, now });
  const published = createPublishedForms({ pool });
  const callers = createCallerLimits(createRateLimits({ pool, rates: options.rates ?? {}, log: silentLog, patienceMs: 30_000 }));
  const services = {
    accounts: createAccountsService({ sessions, standings, passwords: createPasswords(), limits: createLoginLimits({ pool, now }), now }),
    apiKeys: createApiKeysService({ standings, now }),
    invitations: createInvitationsService({ standings, now }),
    members: createMembersService({ pool, sessions, standings, announceChange: () => undefined, now }),
    forms: createFormsService({ published, now }),
    formFiles: createFormFilesService({ published, now }),
    formHistory: createFormHistoryService({ reads, published }),
    questions: createQuestionsService({ published, now }),
    sections: createSectionsService({ published, now }),
    ...options.extend?.({ pool, operationPool: endingWithOperation(pool), reads, published, callers }),
  } as Services;

  const server = createApiServer({
    schema: (schema ??= buildSchema()),
    services,
    forkEntityManager: () => orm.em.fork(),
    tokens,
    standings,
    trustedProxies: options.trustedProxies ?? 0,
    introspection: options.introspection ?? 'signed-in',
    callers,
    live: {
      orders: { events: { settled: createSettled({ pool, order: eventOrder }), bell: silent }, deliveryChanges: { settled: createSettled({ pool, order: deliveryOrder }), bell: silent } },
      retentionMs: 14 * 86_400_000,
      now,
    },
    answerCallback: async () => 404,
    log: options.log ?? silentLog,
    host: '127.0.0.1',
    port: 0,
    readiness: options.readiness ?? (async () => ({ ready: true, reasons: [] })),
    ...(options.limits && { limits: options.limits }),
    ...(options.closeMs !== undefined && { closeMs: options.closeMs }),
  });
  const { url } = await server.listen();
  stack.defer(() => server.close());

  const post: TestApi['post'] = (body, { token, headers, path = '/graphql' } = {}) =>
    send(`${url}${path}`, typeof body === 'string' ? body : JSON.stringify(body), {
      'content-type': 'application/json',
      ...(token && { authorization: `Bearer ${token}` }),
      ...headers,
    });

  const gql: TestApi['gql'] = async (query, variables, token) => {
    const { body } = await post({ query, variables }, token ? { token } : {});
    if (body.errors) throw new Error(body.errors.map((error: { message: string }) => error.message).join('; '), { cause: body.errors });
    return body.data;
  };

  const register: TestApi['register'] = async (username) => {
    const { register: payload } = await gql(
      'mutation ($input: RegisterInput!) { register(input: $input) { token user { id organization { id } } errors { message } } }',
      { input: { username, email: `${username}@example.org`, password: 'correct horse' } },
    );
    return { token: payload.token, userId: payload.user.id, organizationId: payload.user.organization.id };
  };

  return {
    url, databaseUrl: database.url, pool, reads, orm, standings, published, server, clock, gql, post, register,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

async function send(url: string, body: string, headers: Record<string, string>): Promise<Reply> {
  const reply = await request(url, { method: 'POST', headers, body });
  const text = await reply.body.text();
  return { status: reply.statusCode, headers: reply.headers, body: text === '' ? undefined : JSON.parse(text) };
}
