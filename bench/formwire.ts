import { spawn } from 'node:child_process';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { endingWithParent } from '../src/embedded/child-process.ts';
import { peakRssMib, resetPeakRss } from './peak-rss.ts';
import { withClient } from './world.ts';

/** The product as `npm start` runs it, API, relay and dispatcher in one process, but on the bench's servers. */
export interface Formwire extends AsyncDisposable {
  pid: number;
  /** Of the GraphQL endpoint. */
  url: string;
  peakRssMib(): number | undefined;
}

const startsWithinMs = 60_000;
const { privateKey } = generateKeyPairSync('ed25519');
const secretsKey = randomBytes(32).toString('base64');
const signingKey = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();

/** One address stands for many here: its calls are counted and leased, and never refused. */
const manyCallers = { FORMWIRE_RATE_ADDRESS: '20000:200000', FORMWIRE_RATE_FORM: '10000:100000' };

/** `profileDir`: where a CPU profile is left. */
export async function startFormwire(options: { databaseUrl: string; natsUrl: string; profileDir?: string | undefined }): Promise<Formwire> {
  const { databaseUrl, natsUrl, profileDir } = options;
  const program = fileURLToPath(new URL('../src/bin/formwire.ts', import.meta.url));
  const profiling = profileDir ? ['--cpu-prof', `--cpu-prof-dir=${profileDir}`] : [];
  const [command = '', ...args] = endingWithParent('SIGTERM', [process.execPath, ...profiling, program, 'start']);
  const child = spawn(command, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...usualEnvironment(), DATABASE_URL: databaseUrl, NATS_URL: natsUrl, PORT: '0', FORMWIRE_JWT_KEY: signingKey, FORMWIRE_SECRETS_KEY: secretsKey, FORMWIRE_ALLOW_LOOPBACK: 'true', ...manyCallers },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output = (output + chunk.toString()).slice(-20_000)));
  const exited = once(child, 'exit');
  const stop = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
    await exited;
  };

  const pid = child.pid ?? 0;
  for (const giveUpAt = Date.now() + startsWithinMs; ; await sleep(20)) {
    const url = /Formwire listens at (\S+)/.exec(output)?.[1];
    if (url) {
      resetPeakRss(pid);
      return { pid, url, peakRssMib: () => peakRssMib(pid), [Symbol.asyncDispose]: stop };
    }
    if (child.exitCode === null && Date.now() < giveUpAt) continue;
    await stop();
    throw new Error(`Formwire did not start: ${output}`);
  }
}

/** What the shell has set for a Formwire of its own must not reach this one. */
function usualEnvironment(): NodeJS.ProcessEnv {
  const names = Object.keys(process.env).filter((name) => !name.startsWith('FORMWIRE_') && name !== 'HOST');
  return Object.fromEntries(names.map((name) => [name, process.env[name]]));
}

/** Waits until every event is dispatched, so that what was accepted in one round is not a load on the next. */
export async function waitUntilDispatched(databaseUrl: string, withinMs: number): Promise<void> {
  await withClient(databaseUrl, async (client) => {
    for (const giveUpAt = Date.now() + withinMs; Date.now() < giveUpAt; await sleep(10)) {
      const { rows } = await client.query<{ isEmpty: boolean }>('select not exists (select 1 from outbox) as "isEmpty"');
      if (rows[0]?.isEmpty) return;
    }
    throw new Error(`The outbox is not empty after ${withinMs / 1_000} s.`);
  });
}
