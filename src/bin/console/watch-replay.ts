import { setTimeout as sleep } from 'node:timers/promises';
import type { ReplayRow } from '../../replays/replay-rows.ts';
import { noProgress, openProgress } from '../demo/progress.ts';
import { deliveredOf } from './replay-lines.ts';

const everyMs = 1_000;

/** Shows how a replay goes until it has ended; answers how it stands then. A paused one is waited for. */
export async function watchReplay({ read, showsProgress }: { read: () => Promise<ReplayRow>; showsProgress: boolean }): Promise<ReplayRow> {
  using bar = showsProgress ? openProgress('delivered') : noProgress;
  for (let shown = -1; ; await sleep(everyMs)) {
    const row = await read();
    const delivered = deliveredOf(row);
    if (delivered !== shown) bar.show(delivered, Math.max(row.total, delivered, 1));
    shown = delivered;
    if (row.status !== 'running' && row.status !== 'paused') return row;
  }
}
