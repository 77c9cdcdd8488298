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
import type { Config } from '../config.ts';
import { openOrm } from '../db/orm.ts';
import { createDeliveriesService } from '../deliveries/deliveries.service.ts';
import { createFormsService } from '../forms/forms.service.ts';
import { createQuestionsService } from '../forms/questions.service.ts';
import { createSectionsService } from '../forms/sections.service.ts';
import { createIntegrationsService } from '../integrations/integrations.service.ts';
import type { Log } from '../log.ts';
import { networkPolicy } from '../outbound/address-policy.ts';
import { createResponsesService } from '../responses/responses.service.ts';
import { entityConnections, type Pipeline } from './compose.ts';

export interface ApiOptions {
  config: Config;
  databaseUrl: string;
  /** Ed25519, PKCS 8, PEM: signs access tokens. */
  privateKeyPem: string;
  /** Further keys whose access tokens are taken. */
  oldKeyPems?: readonly string[];
  pipeline: Pipeline;
  /** Whether integrations may be given loopback addresses. */
  allowLoopback: boolean;
  log: Log;
}

/** The GraphQL API over a pipeline. */
export async function openApi(options: ApiOptions): Promise<ApiServer> {
  const { config, databaseUrl, privateKeyPem, oldKeyPems = [], pipeline, allowLoopback, log } = options;
  const { pool, forms: published, submitter, onCommitted } = pipeline;
  const now = () => new Date();
  const orm = await openOrm(databaseUrl, { poolSize: entityConnections });
  const tokens = createAccessTokens({ privateKeyPem, oldKeyPems, now });
  const standings = createStandings({ pool, now });
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
      members: createMembersService({ pool, sessions, standings, announceChange: pipeline.announceIntegrations, now }),
      forms: createFormsService({ published, now }),
      questions: createQuestionsService({ published, now }),
      sections: createSectionsService({ published, now }),
      deliveries: createDeliveriesService({ pool }),
      integrations: createIntegrationsService({
        pool,
        providerNamed,
        network: networkPolicy({ allowLoopback }),
        announceChange: pipeline.announceIntegrations,
        now,
      }),
      responses: createResponsesService({ pool, forms: published, submitter, onCommitted }),
    },
    forkEntityManager: () => orm.em.fork(),
    tokens,
    standings,
    trustedProxies: config.FORMWIRE_TRUSTED_PROXIES,
    log,
    host: config.HOST,
    port: config.PORT,
    readiness: pipeline.readiness,
  });
  return {
    listen: server.listen,
    close: async () => {
      await server.close();
      await orm.close(true);
    },
  };
}
