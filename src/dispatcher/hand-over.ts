import { setImmediate as nextTurn } from 'node:timers/promises';
import { pause } from '../run.ts';

export interface HandOver {
  /** Of each partition, what resolves when nothing of it is in flight any more. */
  drained: ReadonlyMap<number, Promise<unknown>>;
  /** How long to wait for that, in milliseconds. */
  boundMs: number;
  /** How often the leases of those that are not drained have to be renewed. */
  keepEveryMs: number;
  keep: () => Promise<void>;
  /** Gives partitions to whoever wants them; must not throw. */
  release: (partitions: readonly number[]) => Promise<void>;
}

/**
 * Releases each partition as soon as it is drained, together with those that are by then: one with a slow receiver keeps
 * none of the others. Answers those that were not drained within the bound; they are not released.
 */
export async function handOver({ drained, boundMs, keepEveryMs, keep, release }: HandOver): Promise<number[]> {
  const ready = new Set<number>();
  const left = new Map([...drained].map(([partition, promise]) => [partition, promise.then(() => ready.add(partition))]));
  const over = new AbortController();
  const bound = performance.now() + boundMs;
  let keepAt = performance.now() + keepEveryMs;
  while (left.size > 0 && performance.now() < bound) {
    await Promise.race([...left.values(), pause(Math.max(1, Math.min(keepAt, bound) - performance.now()), over.signal)]);
    await nextTurn(); // in which others may be drained as well
    const now = [...ready];
    ready.clear(); // before the release, during which the next get ready
    for (const partition of now) left.delete(partition);
    if (now.length > 0) await release(now);
    if (left.size === 0 || performance.now() < keepAt) continue;
    keepAt = performance.now() + keepEveryMs;
    await keep();
  }
  over.abort();
  return [...left.keys()];
}
