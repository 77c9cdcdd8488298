import './provided.ts';
import { rmSync } from 'node:fs';
import path from 'node:path';
import { inject } from 'vitest';
import { startNatsServer } from '../../src/embedded/nats-server.ts';
import { freePort } from './free-port.ts';
import { createTemporaryDirectory } from './temporary-directory.ts';

/** A nats-server of the test's own; stopped and deleted with its scope. */
export interface TestNats extends AsyncDisposable {
  /** Stays the same over stops and starts. */
  url: string;
  port: number;
  /** An outage: connections break, the store stays. */
  stop(): Promise<void>;
  /** Ends the outage, on the same port and store. */
  start(): Promise<void>;
  /** Forgets everything JetStream kept, as after the loss of its disk. Only while it is stopped. */
  wipeStore(): void;
}

export async function startTestNats(): Promise<TestNats> {
  const directory = createTemporaryDirectory();
  const options = { dir: directory.path, binary: inject('natsServerBinary'), port: await freePort() };
  const first = await startNatsServer(options);
  const { url } = first;
  let running: typeof first | undefined = first;
  const stop = async () => {
    await running?.stop();
    running = undefined;
  };
  return {
    url,
    port: options.port,
    stop,
    async start() {
      running ??= await startNatsServer(options);
    },
    wipeStore() {
      if (running) throw new Error('stop the server before wiping its store');
      rmSync(path.join(directory.path, 'store'), { recursive: true, force: true });
    },
    async [Symbol.asyncDispose]() {
      await stop();
      directory[Symbol.dispose]();
    },
  };
}
