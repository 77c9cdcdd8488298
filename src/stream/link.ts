import { connect, type ConnectionOptions, type NatsConnection } from '@nats-io/transport-node';
import type { Log } from '../log.ts';
import { pause } from '../run.ts';
import { followCredentials } from './credentials.ts';

/** A connection to NATS that may not be there yet, or not now: nothing waits for it that does not have to. */
export interface StreamLink {
  /** The connection while it is up. */
  connected(): NatsConnection | undefined;
  /** Waits for the first connection; throws when `signal` aborts. */
  opened(signal: AbortSignal): Promise<NatsConnection>;
  /** Calls back whenever the connection is up again, to what may be another server or an older store, until `signal` aborts. */
  onReconnected(callback: () => void, signal: AbortSignal): void;
  close(): Promise<void>;
}

/**
 * Connects in the background and for ever. Publishing, consuming and live feeds each take a link of their own, so that
 * a full buffer of one does not hold up the others.
 */
export function openLink(options: Whereabouts & { name: string; log: Log }): StreamLink {
  const { name, log } = options;
  const closing = new AbortController();
  let connection: NatsConnection | undefined;
  let up = false;
  const reconnected = new Set<() => void>();

  let isRefused = false;
  /** While it is not let in, the client tells of each try, and of as many reconnections once it is. */
  const follow = async (nats: NatsConnection): Promise<void> => {
    for await (const status of nats.status()) {
      if (status.type === 'disconnect' && up) {
        up = false;
        log.warn({ link: name }, 'stream.disconnected');
      } else if (status.type === 'error' && !up && !isRefused) {
        isRefused = true;
        log.warn({ link: name, err: status.error }, 'stream.refused');
      } else if (status.type === 'reconnect' && !up) {
        [up, isRefused] = [true, false];
        log.warn({ link: name }, 'stream.reconnected');
        for (const callback of reconnected) callback();
      }
    }
  };
  let isSaid = false;
  const opening = (async () => {
    while (!closing.signal.aborted) {
      try {
        connection = await connect({
          ...whereToConnect(options),
          name: `formwire-${name}`,
          maxReconnectAttempts: -1,
          ignoreAuthErrorAbort: true, // or two refusals close it for good, and who is let in again stays away
          reconnectTimeWait: 250,
          pingInterval: 10_000,
          maxPingOut: 2,
        });
        up = true;
        void follow(connection);
        return connection;
      } catch (error) {
        // once, not for every try of an outage
        if (!isSaid) log.warn({ link: name, err: error }, 'stream.unreachable');
        isSaid = true;
        await pause(500, closing.signal);
      }
    }
    return undefined;
  })();

  return {
    // what is recorded or committed after the end must not fail for want of somebody to tell
    connected: () => (up && !connection?.isClosed() ? connection : undefined),
    opened: async (signal) => {
      const stopped = new Promise<undefined>((resolve) => signal.addEventListener('abort', () => resolve(undefined), { once: true }));
      const opened = signal.aborted ? undefined : await Promise.race([opening, stopped]);
      if (!opened) throw new Error(`the ${name} connection to NATS was closed before it opened`);
      return opened;
    },
    onReconnected: (callback, signal) => {
      if (signal.aborted) return;
      reconnected.add(callback);
      signal.addEventListener('abort', () => reconnected.delete(callback), { once: true });
    },
    close: async () => {
      closing.abort();
      await (await opening)?.close();
    },
  };
}

/** Where NATS is, and who we are to it. */
export interface Whereabouts {
  /** As `NATS_URL` says it. */
  url: string;
  /** A file that says who we are, where the URL does not. */
  credentialsFile?: string | undefined;
}

/** The same for the client. Throws where the file is none. */
export function whereToConnect({ url, credentialsFile }: Whereabouts): Pick<ConnectionOptions, 'servers' | 'user' | 'pass' | 'token' | 'authenticator'> {
  return credentialsFile === undefined ? serversOf(url) : { servers: serversOf(url).servers, authenticator: followCredentials(credentialsFile) };
}

/** Where to connect, and as whom: `nats://user:password@host:4222`, or `nats://token@host:4222`. */
export function serversOf(url: string): { servers: string[]; user?: string; pass?: string; token?: string } {
  const parsed = url.split(',').map((one) => new URL(one.trim()));
  const servers = parsed.map(({ protocol, host }) => `${protocol}//${host}`);
  const { username = '', password = '' } = parsed[0] ?? {};
  if (password !== '') return { servers, user: decodeURIComponent(username), pass: decodeURIComponent(password) };
  return username === '' ? { servers } : { servers, token: decodeURIComponent(username) };
}
