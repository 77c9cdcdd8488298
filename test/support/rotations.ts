import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { connect } from '@nats-io/transport-node';
import { expect } from 'vitest';
import { nameOf } from '../../src/sealing.ts';
import { serversOf } from '../../src/stream/link.ts';
import { runFormwire } from './command.ts';
import { createSecondUser, type OwnedDatabase } from './database.ts';
import type { Installation } from './installation.ts';
import type { NatsUser } from './nats-cluster.ts';
import { withClient } from './pipeline.ts';
import type { Traffic } from './traffic.ts';

/** What is there while keys are changed. */
export interface RotationWorld {
  installation: Installation;
  database: OwnedDatabase;
  traffic: Traffic;
  /** What every process is started with by now. */
  env: Record<string, string>;
}

/** One step of the list in ops/upkeep.md. */
export interface Step {
  /** What is done before every process is restarted, or instead of it. */
  before?(world: RotationWorld): Promise<void>;
  /** What every process is restarted with. */
  change?(world: RotationWorld): Record<string, string>;
}

/** How one key takes the place of another while everything runs. */
export interface Rotation {
  /** What every process is started with at first. */
  settings?: Record<string, string>;
  /** First everybody is made to know the new key, */
  known: Step & { change?(): Record<string, string> };
  /** then everybody uses it, */
  used: Step;
  /** then the old one goes. */
  gone: Step;
  /** Throws where the new key is not taken, or the old one still is; absent where whoever uses the installation would notice. */
  isOver?(world: RotationWorld): Promise<void>;
}

/** Whom the servers of NATS let in at first. */
export const firstNatsUser: NatsUser = { user: 'first', password: 'password-of-the-first' };
const secondNatsUser: NatsUser = { user: 'second', password: 'password-of-the-second' };

const newSigningKey = (): string => generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const newSealingKey = (): string => randomBytes(32).toString('base64');
const authorization = (token: string): { authorization: string } => ({ authorization: `Bearer ${token}` });

function rotateSigningKey(): Rotation {
  const [old, next] = [newSigningKey(), newSigningKey()];
  return {
    settings: { FORMWIRE_JWT_KEY: old },
    known: { change: () => ({ FORMWIRE_JWT_OLD_KEYS: next }) },
    used: { change: () => ({ FORMWIRE_JWT_KEY: next, FORMWIRE_JWT_OLD_KEYS: old }) },
    gone: { before: ({ traffic }) => traffic.refreshed(), change: () => ({ FORMWIRE_JWT_OLD_KEYS: '' }) },
    isOver: async ({ installation: { apis, token } }) => {
      for (const { url } of apis) expect(await isTaken(url, token)).toBe(false); // the new ones are taken, or the traffic would notice
    },
  };
}

async function isTaken(url: string, token: string): Promise<boolean> {
  const headers = { ...authorization(token), 'content-type': 'application/json' };
  const answer = await fetch(`${url}/graphql`, { method: 'POST', headers, body: '{"query":"{ me { id } }"}' });
  return answer.status === 200 && !(await answer.text()).includes('"errors"');
}

function rotateSealingKey(): Rotation {
  const [old, next] = [newSealingKey(), newSealingKey()];
  return {
    settings: { FORMWIRE_SECRETS_KEY: old },
    known: { change: () => ({ FORMWIRE_SECRETS_OLD_KEYS: next }) },
    used: { change: () => ({ FORMWIRE_SECRETS_KEY: next, FORMWIRE_SECRETS_OLD_KEYS: old }) },
    gone: { before: (world) => areSealedBy(next, world), change: () => ({ FORMWIRE_SECRETS_OLD_KEYS: '' }) }, // what comes then is signed as well as before
  };
}

/** `formwire reseal` finds that this key has sealed what there is: the two webhooks. */
async function areSealedBy(key: string, { env }: RotationWorld): Promise<void> {
  const { code, json, stderr } = await runFormwire(['reseal', '--json'], env);
  expect({ code, inUse: json?.inUse }, stderr).toEqual({ code: 0, inUse: { [nameOf(Buffer.from(key, 'base64'))]: 2 } });
}

function rotateMetricsToken(): Rotation {
  const [old, next] = ['the token until now', 'the token from now on'];
  const answersOf = ({ installation: { apis, dispatchers } }: RotationWorld, token: string): Promise<number[]> =>
    Promise.all([...apis, ...dispatchers].map(async ({ url }) => (await fetch(`${url}/metrics`, { headers: authorization(token) })).status));
  const areAnswered = async (world: RotationWorld, statuses: Record<string, number>): Promise<void> => {
    for (const [token, status] of Object.entries(statuses)) expect(new Set(await answersOf(world, token)), token).toEqual(new Set([status]));
  };
  return {
    settings: { FORMWIRE_METRICS_TOKEN: old },
    known: { change: () => ({ FORMWIRE_METRICS_TOKEN: `${old},${next}` }) },
    used: { before: (world) => areAnswered(world, { [old]: 200, [next]: 200 }) },
    gone: { change: () => ({ FORMWIRE_METRICS_TOKEN: next }) },
    isOver: (world) => areAnswered(world, { [old]: 403, [next]: 200 }),
  };
}

function rotateDatabaseUser(): Rotation {
  let url = '';
  return {
    known: { before: async ({ database }) => void ({ url } = await createSecondUser(database)) },
    used: { change: () => ({ DATABASE_URL: url }) },
    gone: { before: ({ database }) => withClient(database.url, async (client) => void (await client.query(`alter role ${database.owner} nologin`))) },
    isOver: async ({ database }) => {
      await expect(withClient(database.ownerUrl, async () => undefined)).rejects.toThrow('is not permitted to log in');
      const { rows } = await withClient(url, (client) => client.query('select distinct usename as user, current_user as "actsAs" from pg_stat_activity where datname = current_database()'));
      expect(rows).toEqual([{ user: new URL(url).username, actsAs: database.owner }]);
    },
  };
}

function rotateNatsUser(): Rotation {
  const [old, next] = [firstNatsUser, secondNatsUser];
  const letsIn = async ({ installation: { nats } }: RotationWorld, user: NatsUser): Promise<boolean> => {
    const connection = await connect({ ...serversOf(nats.urlFor(user)), reconnect: false }).catch(() => undefined);
    await connection?.close();
    return connection !== undefined;
  };
  return {
    known: { before: ({ installation: { nats } }) => nats.allow([old, next]) },
    used: { change: ({ installation: { nats } }) => ({ NATS_URL: nats.urlFor(next) }) },
    gone: { before: ({ installation: { nats } }) => nats.allow([next]) },
    isOver: async (world) => {
      expect([await letsIn(world, old), await letsIn(world, next)]).toEqual([false, true]);
    },
  };
}

/** Of every key and password that processes share. */
export const rotations = {
  'the key that signs tokens': rotateSigningKey,
  'the key that seals secrets': rotateSealingKey,
  'the token for metrics': rotateMetricsToken,
  'the user of PostgreSQL': rotateDatabaseUser,
  'the user of NATS': rotateNatsUser,
};
