import { fetchDebianProgram, fetchedPath } from './fetch-debian-program.ts';

/** Release 13 has nats-server 2.10, which also runs on release 12, whose own is older. */
const program = { packageName: 'nats-server', suite: 'trixie', inPackage: 'usr/sbin/nats-server' } as const;

/** Where a fetched nats-server is kept. */
export const fetchedBinary = fetchedPath(program);

/** Fetches nats-server into the project, and returns its path; throws one sentence that says what to do instead when that is impossible. */
export async function fetchNatsServer(): Promise<string> {
  try {
    return await fetchDebianProgram(program);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(
      'There is no nats-server here and it cannot be fetched '
      + `(${reason}): install nats-server 2.9 or newer, set FORMWIRE_NATS_SERVER to its path, or set NATS_URL to a server of your own.`,
      { cause },
    );
  }
}
