import { Migrator } from '@mikro-orm/migrations';
import { defineConfig, MikroORM } from '@mikro-orm/postgresql';
import type { Pool, PoolClient } from 'pg';
import { ApiKey } from '../accounts/api-key.entity.ts';
import { Invitation } from '../accounts/invitation.entity.ts';
import { LoginAttempts } from '../accounts/login-attempts.entity.ts';
import { Membership } from '../accounts/membership.entity.ts';
import { Organization } from '../accounts/organization.entity.ts';
import { RefreshToken } from '../accounts/refresh-token.entity.ts';
import { Session } from '../accounts/session.entity.ts';
import { User } from '../accounts/user.entity.ts';
import { Attempt } from '../deliveries/attempt.entity.ts';
import { Delivery } from '../deliveries/delivery.entity.ts';
import { DispatcherHeartbeat } from '../deliveries/dispatcher-heartbeat.entity.ts';
import { PartitionLease } from '../deliveries/partition-lease.entity.ts';
import { Choice } from '../forms/choice.entity.ts';
import { Form } from '../forms/form.entity.ts';
import { FormGrant } from '../forms/form-grant.entity.ts';
import { FormPlaces } from '../forms/form-places.entity.ts';
import { FormVersion } from '../forms/form-version.entity.ts';
import { Question } from '../forms/question.entity.ts';
import { Section } from '../forms/section.entity.ts';
import { Integration } from '../integrations/integration.entity.ts';
import { OutboxEntry } from '../outbox/outbox-entry.entity.ts';
import { Response } from '../responses/response.entity.ts';

const migrationsPath = new URL('../../migrations', import.meta.url).pathname;

/** Opens the entities over a database; its owner closes it. */
export function openOrm(databaseUrl: string, options: { poolSize: number } = { poolSize: 10 }): Promise<MikroORM> {
  return MikroORM.init(
    defineConfig({
      clientUrl: databaseUrl,
      entities: [
        Organization, User, Form, FormPlaces, FormVersion, Section, Question, Choice, Response, OutboxEntry, Integration, Delivery, Attempt,
        PartitionLease, DispatcherHeartbeat, Session, RefreshToken, LoginAttempts, ApiKey, Membership, Invitation, FormGrant,
      ],
      extensions: [Migrator],
      migrations: { path: migrationsPath, pathTs: migrationsPath, glob: '*.ts', snapshot: false },
      pool: { min: 0, max: options.poolSize },
      driverOptions: { connectionTimeoutMillis: 10_000, onPoolCreated: giveBrokenBack },
      forceUtcTimezone: true,
      logger: () => undefined, // what matters is thrown; statements could hold answers
    }),
  );
}

/** Long enough for whoever holds a connection that broke to give it back themselves. */
const graceMs = 1_000;

/**
 * A transaction whose rollback fails because the connection broke never gives it back, and a pool whose connections
 * are all lent keeps every later call waiting: what is still lent a second after its end is given back here.
 */
function giveBrokenBack(pool: Pool): void {
  const lent = new Set<PoolClient>();
  pool.on('acquire', (client) => void lent.add(client));
  pool.on('release', (_error, client) => void lent.delete(client));
  pool.on('connect', (client) => {
    client.once('end', () => {
      setTimeout(() => {
        if (lent.delete(client)) client.release(true);
      }, graceMs).unref();
    });
  });
}
