import { cpSync, rmSync } from 'node:fs';
import path from 'node:path';
import { inject } from 'vitest';
import './provided.ts';
import { migrate } from '../../src/db/migrate.ts';
import { startNatsServer } from '../../src/embedded/nats-server.ts';
import { startPostgres } from '../../src/embedded/postgres.ts';
import { freePort } from './free-port.ts';
import { createTemporaryDirectory } from './temporary-directory.ts';

/** A PostgreSQL of the test's own, as durable as in service; it keeps its port and its data over stops and starts. */
export interface RestartablePostgres extends AsyncDisposable {
  url: string;
  /** Shuts down as an operator does. */
  stop(): Promise<void>;
  /** SIGKILL to the postmaster: its sessions die with it, and the next start recovers from the log. */
  kill(): Promise<void>;
  start(): Promise<void>;
}

export async function startRestartablePostgres(): Promise<RestartablePostgres> {
  const directory = createTemporaryDirectory();
  const options = { dir: directory.path, port: await freePort() };
  const first = await startPostgres(options);
  const { url } = first;
  let running: typeof first | undefined = first;
  await migrate(url);
  const stop = async () => {
    await running?.stop();
    running = undefined;
  };
  return {
    url,
    stop,
    async kill() {
      if (running) process.kill(running.pid, 'SIGKILL');
      await running?.exited;
      await stop();
    },
    async start() {
      running ??= await startPostgres(options);
    },
    async [Symbol.asyncDispose]() {
      await stop();
      directory[Symbol.dispose]();
    },
  };
}

/** A nats-server of the test's own whose store can be taken away and put back, as a disk or a snapshot would. */
export interface NatsWithStore extends AsyncDisposable {
  url: string;
  stop(): Promise<void>;
  /** SIGKILL: what was not on disk is gone. */
  kill(): Promise<void>;
  start(): Promise<void>;
  /** Copies the store as it is; only while stopped, as the others. */
  saveStore(): void;
  /** Puts the copy in place of what came since. */
  restoreStore(): void;
  /** Puts only the messages back: the consumers have got further than the stream. */
  restoreMessages(): void;
  wipeStore(): void;
}

export async function startNatsWithStore(): Promise<NatsWithStore> {
  const directory = createTemporaryDirectory();
  const options = { dir: directory.path, binary: inject('natsServerBinary'), port: await freePort() };
  const first = await startNatsServer(options);
  const { url } = first;
  let running: typeof first | undefined = first;
  const stop = async () => {
    await running?.stop();
    running = undefined;
  };
  const [store, copy] = [path.join(directory.path, 'store'), path.join(directory.path, 'copy')];
  const messagesIn = (root: string) => path.join(root, 'jetstream', '$G', 'streams', 'EVENTS', 'msgs');
  const replace = (target: string, source: string) => {
    if (running) throw new Error('stop the server before touching its store');
    rmSync(target, { recursive: true, force: true });
    cpSync(source, target, { recursive: true });
  };
  return {
    url,
    stop,
    async kill() {
      if (running) process.kill(running.pid, 'SIGKILL');
      await running?.exited;
      await stop();
    },
    async start() {
      running ??= await startNatsServer(options);
    },
    saveStore: () => replace(copy, store),
    restoreStore: () => replace(store, copy),
    restoreMessages: () => replace(messagesIn(store), messagesIn(copy)),
    wipeStore() {
      if (running) throw new Error('stop the server before touching its store');
      rmSync(store, { recursive: true, force: true });
    },
    async [Symbol.asyncDispose]() {
      await stop();
      directory[Symbol.dispose]();
    },
  };
}
