import './provided.ts';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { nkeys } from '@nats-io/transport-node';
import { expect, inject } from 'vitest';
import { spawnServer } from '../../src/embedded/child-process.ts';
import { freePort } from './free-port.ts';
import { createTemporaryDirectory } from './temporary-directory.ts';

/** A nats-server with JetStream that lets in whom a part of its configuration says. */
export interface GuardedNats extends AsyncDisposable {
  url: string;
  /** Lets in others from now on: those who are not among them are sent away. */
  guardBy(configuration: string): Promise<void>;
  /** How often it has refused somebody. */
  refusals(): number;
}

export async function startGuardedNats(configuration: string): Promise<GuardedNats> {
  const directory = createTemporaryDirectory();
  const [port, monitor] = [await freePort(), await freePort()];
  const config = path.join(directory.path, 'nats.conf');
  const write = (guard: string) => writeFileSync(config, `listen: "127.0.0.1:${port}"\nhttp: "127.0.0.1:${monitor}"\njetstream { store_dir: ${JSON.stringify(directory.path)} }\n${guard}\n`);
  write(configuration);
  const logFile = path.join(directory.path, 'log');
  const server = spawnServer({ commandLine: [inject('natsServerBinary'), '-c', config], user: { kind: 'self' }, parentDeathSignal: 'SIGKILL', logFile });
  const ask = async (what: string) => (await fetch(`http://127.0.0.1:${monitor}/${what}`)).json() as Promise<Record<string, string>>;
  const loadedAt = async () => (await ask('varz'))['config_load_time'];
  await expect.poll(() => ask('healthz?js-enabled-only=true').catch(() => server.logTail()), { timeout: 20_000 }).toEqual({ status: 'ok' });
  return {
    url: `nats://127.0.0.1:${port}`,
    guardBy: async (next) => {
      const before = await loadedAt();
      write(next);
      process.kill(server.pid, 'SIGHUP');
      await expect.poll(loadedAt, { timeout: 20_000 }).not.toBe(before);
    },
    refusals: () => readFileSync(logFile, 'utf8').match(/authentication error/g)?.length ?? 0,
    [Symbol.asyncDispose]: async () => {
      await server.stop('SIGTERM', 10_000);
      directory[Symbol.dispose]();
    },
  };
}

type KeyPair = ReturnType<typeof nkeys.createUser>;
const base64url = (text: string | Uint8Array): string => Buffer.from(text).toString('base64url');

/** A token as nsc makes it. Source: nats-io/jwt, version 2. */
function token(issuer: KeyPair, subject: KeyPair, claims: Record<string, unknown>): string {
  const payload = { iat: Math.floor(Date.now() / 1_000), iss: issuer.getPublicKey(), sub: subject.getPublicKey(), name: 'test', nats: { version: 2, ...claims } };
  const signed = `${base64url(JSON.stringify({ typ: 'JWT', alg: 'ed25519-nkey' }))}.${base64url(JSON.stringify(payload))}`;
  return `${signed}.${base64url(issuer.sign(Buffer.from(signed)))}`;
}

/** An operator with an account that may use JetStream, and credentials of its users. */
export function createOperator(): { configuration: string; createUser: () => string } {
  const [operator, account, system] = [nkeys.createOperator(), nkeys.createAccount(), nkeys.createAccount()];
  const unlimited = { subs: -1, data: -1, payload: -1, imports: -1, exports: -1, wildcards: true, conn: -1, leaf: -1, mem_storage: -1, disk_storage: -1, streams: -1, consumer: -1 };
  const { mem_storage: _, disk_storage: __, ...plain } = unlimited; // the server's own account must not have JetStream
  const tokenOf = (one: KeyPair, limits: object) => `${one.getPublicKey()}: ${token(operator, one, { type: 'account', limits, default_permissions: { pub: {}, sub: {} } })}`;
  return {
    configuration: [`operator: ${token(operator, operator, { type: 'operator' })}`, 'resolver: MEMORY', `system_account: ${system.getPublicKey()}`, `resolver_preload: { ${tokenOf(account, unlimited)}, ${tokenOf(system, plain)} }`].join('\n'),
    createUser: () => {
      const user = nkeys.createUser();
      const jwt = token(account, user, { type: 'user', pub: {}, sub: {}, subs: -1, data: -1, payload: -1 });
      return [`-----BEGIN NATS USER JWT-----`, jwt, '------END NATS USER JWT------', '', '-----BEGIN USER NKEY SEED-----', Buffer.from(user.getSeed()).toString(), '------END USER NKEY SEED------', ''].join('\n');
    },
  };
}
