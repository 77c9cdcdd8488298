import { expect, test } from 'vitest';
import { watchReplay } from '../../src/bin/console/watch-replay.ts';
import { newId } from '../../src/events/id.ts';
import type { ReplayRow } from '../../src/replays/replay-rows.ts';

const id = newId('rpl');

/** What is said of a replay that stands like this, look by look. */
async function saidOf(...statuses: ReplayRow['status'][]): Promise<string[]> {
  const said: string[] = [];
  const read = () => Promise.resolve({ id, status: statuses.shift() ?? 'done', total: 2, made: 1, pending: 0, dead: 0, canceled: 0 } as ReplayRow);
  await watchReplay({ read, showsProgress: false, say: (sentence) => void said.push(sentence), pauseMs: 0 });
  return said;
}

test('a replay that is paused says so once, how to go on, and that it does', async () => {
  expect(await saidOf('running', 'paused', 'paused', 'running', 'done')).toEqual([expect.stringContaining(`formwire replay resume ${id}`), 'It goes on.']);
});

test('one that is paused from the first look on says so too, and one that ends is not said to go on', async () => {
  expect(await saidOf('paused', 'canceled')).toEqual([expect.stringContaining('It is paused')]);
});

test('of one that runs to its end nothing is said beside its progress', async () => {
  expect(await saidOf('running', 'done')).toEqual([]);
});
