import { setTimeout as sleep } from 'node:timers/promises';
import type { ReplayRow } from '../../replays/replay-rows.ts';
import { showProgress } from '../demo/progress.ts';
import { deliveredOf } from './replay-lines.ts';

const everyMs = 1_000;

/** Shows how a replay goes until it has ended; answers how it stands then. A paused one is waited for. */
export async function watchReplay({ read, showsProgress }: { read: () => Promise<ReplayRow>; showsProgress: boolean }): Promise<ReplayRow> {
  for (let shown = -1; ; await sleep(everyMs)) {
    const row = await read();
    const delivered = deliveredOf(row);
    if (showsProgress && delivered !== shown) showProgress('delivered', delivered, Math.max(row.total, delivered, 1));
    shown = delivered;
    if (row.status === 'running' || row.status === 'paused') continue;
    if (showsProgress && process.stdout.isTTY && delivered < row.total) process.stdout.write('\n'); // the bar stays as it is
    return row;
  }
}
