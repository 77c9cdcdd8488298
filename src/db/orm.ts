import { Migrator } from '@mikro-orm/migrations';
import { defineConfig, MikroORM } from '@mikro-orm/postgresql';
import type { Pool, PoolClient, QueryConfig } from 'pg';
import { ApiKey } from '../accounts/api-key.entity.ts';
import { Invitation } from '../accounts/invitation.entity.ts';
import { LoginAttempts } from '../accounts/login-attempts.entity.ts';
import { Membership } from '../accounts/membership.entity.ts';
import { Organization } from '../accounts/organization.entity.ts';
import { RefreshToken } from '../accounts/refresh-token.entity.ts';
import { Session } from '../accounts/session.entity.ts';
import { User } from '../accounts/user.entity.ts';
import { CompletenessWalk } from '../completeness/completeness-walk.entity.ts';
import { MissingDelivery } from '../completeness/missing-delivery.entity.ts';
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
import { Job } from '../jobs/job.entity.ts';
import { Replay } from '../replays/replay.entity.ts';
import { LedgerCounter } from '../ledger/ledger-counter.entity.ts';
import { LedgerEntry } from '../ledger/ledger-entry.entity.ts';
import { Change } from '../outbox/change.entity.ts';
import { ErasedEvent } from '../outbox/erased-event.entity.ts';
import { OutboxEntry } from '../outbox/outbox-entry.entity.ts';
import { TrackingEntry } from '../deliveries/tracking.entity.ts';
import { Process } from '../processes/process.entity.ts';
import { Quota } from '../quotas/quota.entity.ts';
import { RateBucket } from '../rate-limits/rate-bucket.entity.ts';
import { ErasedClientId } from '../responses/erased-client-id.entity.ts';
import { Response } from '../responses/response.entity.ts';
import { Review } from '../responses/review.entity.ts';
import { makeEndWithOperation } from './operation-scope.ts';

/** Where the migrations are, a file for each. */
export const migrationsPath = new URL('../../migrations', import.meta.url).pathname;

export interface OrmOptions {
  poolSize: number;
  /** From where to borrow connections for what is read outside of transactions; absent: from its own. */
  reads?: Pool;
  /** Told of the pool for transactions. */
  onPool?: (pool: Pool) => void;
}

/** Opens the entities over a database; its owner closes it, and `reads` after it. */
export function openOrm(databaseUrl: string, { poolSize, reads, onPool }: OrmOptions = { poolSize: 10 }): Promise<MikroORM> {
  return MikroORM.init(
    defineConfig({
      clientUrl: databaseUrl,
      entities: [
        Organization, User, Form, FormPlaces, FormVersion, Section, Question, Choice, Response, Review, ErasedClientId, OutboxEntry, Change, ErasedEvent, Integration,
        Delivery, Attempt, PartitionLease, DispatcherHeartbeat, Session, RefreshToken, LoginAttempts, ApiKey, Membership, Invitation,
        FormGrant, RateBucket, LedgerEntry, LedgerCounter, Quota, TrackingEntry, Job, Replay, MissingDelivery, CompletenessWalk, Process,
      ],
      extensions: [Migrator],
      migrations: { path: migrationsPath, pathTs: migrationsPath, glob: '*.ts', snapshot: false },
      pool: { min: 0, max: poolSize },
      driverOptions: { connectionTimeoutMillis: 10_000, onPoolCreated: (pool: Pool) => prepare(pool, onPool) },
      ...(reads && { replicas: [{ driverOptions: { onPoolCreated: (pool: Pool) => borrowFrom(reads, pool) } }] }),
      schemaGenerator: { ignorePolicies: true, ignoreTriggers: true }, // the migrations say which there are
      forceUtcTimezone: true,
      logger: () => undefined, // what matters is thrown; statements could hold answers
    }),
  );
}

function prepare(pool: Pool, onPool: OrmOptions['onPool']): void {
  giveBrokenBack(pool);
  makeEndWithOperation(pool);
  onPool?.(pool);
}

/**
 * Lets a pool of the entities, which then opens no connections of its own, lend those of another: read as the entities
 * want their values, and one statement at a time, since theirs have the values in their text.
 */
function borrowFrom(lender: Pool, pool: Pool): void {
  const { types } = pool.options;
  const connect = async (): Promise<unknown> => {
    const client = await lender.connect();
    return {
      processID: 'processID' in client ? client.processID : undefined,
      query: (text: string, values: unknown[]) => client.query({ text, values, types, queryMode: 'extended' } as QueryConfig),
      release: (error?: Error | boolean) => client.release(error),
    };
  };
  pool.connect = connect as Pool['connect'];
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
