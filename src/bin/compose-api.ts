import { providerNamed } from '../../integrations/index.ts';
import { createAccessTokens } from '../accounts/access-tokens.ts';
import { createAccountsService } from '../accounts/accounts.service.ts';
import { createApiKeysService } from '../accounts/api-keys.service.ts';
import { createInvitationsService } from '../accounts/invitations.service.ts';
import { createLoginLimits } from '../accounts/login-limits.ts';
import { createMembersService } from '../accounts/members.service.ts';
import { createPasswords } from '../accounts/passwords.ts';
import { createSessions } from '../accounts/sessions.ts';
import { createStandings } from '../accounts/standings.ts';
import { buildSchema } from '../api/schema.ts';
import { createApiServer, type ApiServer } from '../api/server.ts';
import { createLooks } from '../completeness/looks.ts';
import { createCompletenessService } from '../completeness/completeness.service.ts';
import type { Config } from '../config.ts';
import { endingWithOperation, makeEndWithOperation } from '../db/operation-scope.ts';
import { openOrm } from '../db/orm.ts';
import { openTenantReads } from '../db/tenant-reads.ts';
import { createDeliveriesService } from '../deliveries/deliveries.service.ts';
import { createFormFilesService } from '../forms/form-files.service.ts';
import { createFormHistoryService } from '../forms/form-history.service.ts';
import { createFormsService } from '../forms/forms.service.ts';
import { createQuestionsService } from '../forms/questions.service.ts';
import { createSectionsService } from '../forms/sections.service.ts';
import { viewerOfOperation } from '../graphql/on-behalf-of.ts';
import { createCallbacks } from '../integrations/callbacks.ts';
import { createIntegrationsService } from '../integrations/integrations.service.ts';
import { createPreviewsService } from '../integrations/previews.service.ts';
import { createJobsService } from '../jobs/jobs.service.ts';
import { createRuleTestsService } from '../integrations/rule-tests.service.ts';
import type { Log } from '../log.ts';
import type { Metrics } from '../monitoring/metrics.ts';
import { networkPolicy } from '../outbound/address-policy.ts';
import { createCallerLimits } from '../rate-limits/caller-limits.ts';
import { createRateLimits } from '../rate-limits/rate-limits.ts';
import { createResponsesService } from '../responses/responses.service.ts';
import { createReplaysService } from '../replays/replays.service.ts';
import type { Sealer } from '../sealing.ts';
import type { Tracing } from '../tracing/tracing.ts';
import { shareConnections, type Pipeline } from './compose.ts';

export interface ApiOptions {
  config: Config;
  databaseUrl: string;
  /** Ed25519, PKCS 8, PEM: signs access tokens. */
  privateKeyPem: string;
  /** Further keys whose access tokens are taken. */
  oldKeyPems?: readonly string[];
  pipeline: Pipeline;
  /** Seals secrets of integrations. */
  sealer: Sealer;
  /** Whether integrations may be given loopback addresses. */
  allowLoopback: boolean;
  log: Log;
  /** What this process tells of itself. */
  metrics?: Metrics | undefined;
  tracing?: Tracing | undefined;
}

/** The GraphQL API over a pipeline. */
export async function openApi(options: ApiOptions): Promise<ApiServer> {
  const { config, databaseUrl, privateKeyPem, oldKeyPems = [], pipeline, sealer, allowLoopback, log, metrics, tracing } = options;
  const { pool, forms: published, orders, submitter, checks, onCommitted } = pipeline;
  const now = () => new Date();
  const connections = shareConnections(config.FORMWIRE_DATABASE_CONNECTIONS);
  const reads = openTenantReads({ url: databaseUrl, max: connections.tenant, log, viewer: viewerOfOperation });
  makeEndWithOperation(reads);
  pipeline.pools.set('tenant', reads);
  const orm = await openOrm(databaseUrl, { poolSize: connections.entities, reads, onPool: (entities) => pipeline.pools.set('entities', entities) });
  const tokens = createAccessTokens({ privateKeyPem, oldKeyPems, now });
  const standings = createStandings({ pool, now });
  // What callers share, such as sessions and published forms, is read past the end of one call.
  const operationPool = endingWithOperation(pool);
  const callers = createCallerLimits(
    createRateLimits({
      pool,
      rates: { key: config.FORMWIRE_RATE_KEY, user: config.FORMWIRE_RATE_USER, address: config.FORMWIRE_RATE_ADDRESS, form: config.FORMWIRE_RATE_FORM },
      log,
    }),
  );
  const settingsDeps = { providerNamed, sealer, network: networkPolicy({ allowLoopback }) };
  const looks = createLooks();
  const sessions = createSessions({ pool, tokens, standings, log, now });
  const server = createApiServer({
    schema: buildSchema(),
    services: {
      accounts: createAccountsService({
        sessions, standings, now,
        passwords: createPasswords(),
        limits: createLoginLimits({ pool, now }),
      }),
      apiKeys: createApiKeysService({ standings, now }),
      invitations: createInvitationsService({ standings, now }),
      members: createMembersService({ pool: operationPool, sessions, standings, announceChange: pipeline.announceIntegrations, now }),
      forms: createFormsService({ published, now }),
      formFiles: createFormFilesService({ published, now }),
      formHistory: createFormHistoryService({ reads, published }),
      questions: createQuestionsService({ published, now }),
      sections: createSectionsService({ published, now }),
      deliveries: createDeliveriesService({ pool: operationPool, reads, onChanged: pipeline.announceDeliveries }),
      completeness: createCompletenessService({ pool: operationPool, reads, looks }),
      integrations: createIntegrationsService({
        ...settingsDeps,
        pool: operationPool,
        announceChange: pipeline.announceIntegrations,
        log,
        now,
      }),
      replays: createReplaysService({ pool: operationPool, reads, providerNamed, sealer, log, looks, now }),
      jobs: createJobsService({ pool: operationPool, reads, providerNamed, now }),
      previews: createPreviewsService({ ...settingsDeps, pool: operationPool, reads, forms: published }),
      ruleTests: createRuleTestsService({ pool: operationPool, reads, forms: published, network: settingsDeps.network }),
      responses: createResponsesService({ pool: operationPool, reads, forms: published, submitter, checks, limits: callers, settled: orders.events.settled, onCommitted }),
    },
    forkEntityManager: () => orm.em.fork(),
    tokens,
    standings,
    trustedProxies: config.FORMWIRE_TRUSTED_PROXIES,
    introspection: config.FORMWIRE_INTROSPECTION,
    callers,
    live: { orders, retentionMs: config.FORMWIRE_STREAM_MAX_AGE, now },
    answerCallback: createCallbacks({
      pool, providerNamed, sealer, log,
      callContext: pipeline.callContext,
      publicUrl: config.FORMWIRE_PUBLIC_URL,
      onDue: pipeline.announceDue,
    }),
    limits: { operationMs: config.FORMWIRE_OPERATION_TIMEOUT },
    closeMs: config.FORMWIRE_DRAIN,
    log,
    host: config.HOST,
    port: config.PORT,
    readiness: pipeline.readiness,
    metrics: metrics?.render,
    metricsTokens: config.FORMWIRE_METRICS_TOKEN,
    traceRequest: tracing?.request,
    onAnswered: metrics?.hooks.onAnswered,
  });
  return {
    listen: server.listen,
    subscribers: server.subscribers,
    leave: server.leave,
    close: async () => {
      await server.close();
      await orm.close(true);
      await reads.end();
    },
  };
}
