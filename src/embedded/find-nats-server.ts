import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { fetchNatsServer, fetchedBinary } from './fetch-nats-server.ts';

/** A nats-server that runs here and is new enough. */
export interface NatsServerBinary {
  path: string;
  /** `2.10.27` */
  version: string;
}

/** The first version that syncs JetStream's files, and the oldest whose behaviour the stream code counts on. */
const oldest = { major: 2, minor: 9 };

/** Where packages put servers: not on the PATH of users other than root. */
const usualPlaces = ['/usr/local/sbin', '/usr/sbin', '/usr/local/bin', '/usr/bin', '/opt/nats-server'];

/**
 * The nats-server to run: `binary` if given (then no other), one fetched before, one on the PATH or in the usual
 * places; otherwise it is fetched from the distribution. Too old ones are passed over. Throws a sentence that says what
 * to do when there is none.
 */
export async function provideNatsServer(options: { binary?: string } = {}): Promise<NatsServerBinary> {
  if (options.binary !== undefined) return explicitBinary(options.binary);
  const found = findNatsServer();
  if (found) return found;
  const fetched = usable(await fetchNatsServer());
  if (!fetched) throw new Error('The distribution has no nats-server that is new enough: install 2.9 or newer and set FORMWIRE_NATS_SERVER to its path, or set NATS_URL.');
  return fetched;
}

/** The nats-server that is here already, if any. */
export function findNatsServer(): NatsServerBinary | undefined {
  const candidates = [fetchedBinary, onPath(), ...usualPlaces.map((place) => path.join(place, 'nats-server'))];
  for (const candidate of candidates) {
    const binary = candidate === undefined ? undefined : usable(candidate);
    if (binary) return binary;
  }
  return undefined;
}

function explicitBinary(binary: string): NatsServerBinary {
  const found = usable(path.resolve(binary));
  if (!found) throw new Error(`${binary} is not a nats-server of version ${oldest.major}.${oldest.minor} or newer that runs here.`);
  return found;
}

/** Undefined when it does not run here or is too old. */
function usable(binary: string): NatsServerBinary | undefined {
  const asked = spawnSync(binary, ['--version'], { encoding: 'utf8', timeout: 10_000 });
  const version = /v(\d+\.\d+\.\d+)/.exec(asked.stdout ?? '')?.[1];
  return version !== undefined && isAtLeast(version, oldest) ? { path: binary, version } : undefined;
}

/** Whether a version such as `2.10.27` is the given one or a later one. */
export function isAtLeast(version: string, wanted: { major: number; minor: number }): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > wanted.major || (major === wanted.major && minor >= wanted.minor);
}

/** The shell looks on the PATH that we were started with. */
function onPath(): string | undefined {
  const found = spawnSync('sh', ['-c', 'command -v nats-server'], { encoding: 'utf8' }).stdout?.trim();
  return found === '' ? undefined : found;
}
