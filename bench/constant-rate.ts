import { setTimeout as sleep } from 'node:timers/promises';
import { Pool } from 'undici';
import { quantile } from './rounds.ts';
import { clientIdMark } from './survey.ts';

const connections = 32;

export interface Quantiles {
  p50: number;
  p99: number;
}

/** Of times in milliseconds. */
export const quantilesOf = (latencies: readonly number[]): Quantiles => ({ p50: quantile(latencies, 0.5), p99: quantile(latencies, 0.99) });

/** Sends when it is time, however long the answers take: a slow one does not make the next ones come later. */
export async function atConstantRate({ perSecond, forMs, send }: { perSecond: number; forMs: number; send: () => Promise<void> }): Promise<void> {
  const from = performance.now();
  const sending: Promise<void>[] = [];
  let failure: unknown;
  for (let due = 0; due < (forMs / 1_000) * perSecond; due = ((performance.now() - from) / 1_000) * perSecond) {
    while (sending.length < due) sending.push(send().catch((error: unknown) => void (failure ??= error)));
    await sleep(1);
    if (failure) break;
  }
  await Promise.all(sending);
  if (failure) throw failure instanceof Error ? failure : new Error('A post failed.', { cause: failure });
}

export interface Poster {
  post(body: string): Promise<string>;
  close(): Promise<void>;
}

/** Posts JSON over connections that stay open. */
export function openPoster(url: string): Poster {
  const { origin, pathname } = new URL(url);
  const pool = new Pool(origin, { connections });
  return {
    post: async (body) => (await pool.request({ method: 'POST', path: pathname, headers: { 'content-type': 'application/json' }, body })).body.text(),
    close: () => pool.close(),
  };
}

/** Submits one of the survey's responses at each call, by its own client id; throws where it was not taken. */
export function submitterOf(bodies: readonly string[], api: Poster): () => Promise<void> {
  let submitted = 0;
  return async () => {
    const body = bodies[submitted % bodies.length] ?? '';
    const answer = await api.post(body.replace(clientIdMark, `one-${submitted++}`));
    if (!answer.includes('"id":"resp_')) throw new Error(`The server answered: ${answer.slice(0, 500)}`);
  };
}
