import { hostname } from 'node:os';
import type { Pool } from 'pg';
import manifest from '../../package.json' with { type: 'json' };
import { newId } from '../events/id.ts';
import type { Log } from '../log.ts';
import { repeat, type Runnable } from '../run.ts';
import { noteAlive, noteGone, type ProcessFacts } from './process-rows.ts';

export interface HeartbeatOptions extends Pick<ProcessFacts, 'roles' | 'dispatcherId'> {
  pool: Pool;
  /** Where the process answers; asked for when it is known. */
  url: () => string;
  /** Why the process cannot do all of its work; empty where it can. */
  reasons: () => Promise<readonly string[]>;
  log: Log;
}

export interface Heartbeat extends Runnable {
  /** One beat; part of `run`. */
  beat(): Promise<void>;
  /** To be called when everything else has ended. */
  leave(): Promise<void>;
}

const everyMs = 5_000;

/** Says now and then that this process is alive, and what it is, for the operators' commands on any machine. */
export function createHeartbeat({ pool, roles, dispatcherId, url, reasons, log }: HeartbeatOptions): Heartbeat {
  const own = { id: newId('prc'), host: hostname(), pid: process.pid, roles, version: manifest.version, dispatcherId, startedAt: new Date() };
  const onError = (error: unknown): void => log.warn({ err: error }, 'heartbeat.failed');
  const beat = async (): Promise<void> => noteAlive(pool, { ...own, url: url(), reasons: [...(await reasons())] }, new Date());
  return {
    name: 'heartbeat',
    beat,
    leave: () => noteGone(pool, own.id).catch(onError),
    run: (signal) => repeat({ step: beat, everyMs, onError, signal }),
  };
}
