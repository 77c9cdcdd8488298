import { setTimeout as sleep } from 'node:timers/promises';
import type { ReplayRow } from '../../replays/replay-rows.ts';
import { noProgress, openProgress } from '../demo/progress.ts';
import { deliveredOf } from './replay-lines.ts';

const everyMs = 1_000;

export interface WatchOptions {
  read: () => Promise<ReplayRow>;
  showsProgress: boolean;
  /** A sentence on a line of its own, beside what is shown. */
  say: (sentence: string) => void;
  /** Milliseconds between two looks. */
  pauseMs?: number;
}

/** Shows how a replay goes until it has ended; answers how it stands then. A paused one is waited for, and that is said. */
export async function watchReplay({ read, showsProgress, say, pauseMs = everyMs }: WatchOptions): Promise<ReplayRow> {
  using bar = showsProgress ? openProgress('delivered') : noProgress;
  let isPaused = false;
  for (let shown = -1; ; await sleep(pauseMs)) {
    const row = await read();
    if ((row.status === 'paused') !== isPaused) {
      isPaused = !isPaused;
      bar[Symbol.dispose](); // what is said has a line of its own
      if (isPaused) say(`It is paused, and this waits: formwire replay resume ${row.id} lets it go on, cancel ends it.`);
      else if (row.status === 'running') say('It goes on.');
    }
    const delivered = deliveredOf(row);
    if (delivered !== shown) bar.show(delivered, Math.max(row.total, delivered, 1));
    shown = delivered;
    if (row.status !== 'running' && row.status !== 'paused') return row;
  }
}
