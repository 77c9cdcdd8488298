import { expect, test } from 'vitest';
import { boundStop, stopBoundMs } from '../../src/bin/stopping.ts';
import { parseConfig } from '../../src/config.ts';
import { silentLog } from '../../src/log.ts';

test('a stop takes as long as it goes on and waits, and ten seconds to end', () => {
  expect(stopBoundMs(parseConfig({}))).toBe(30_000);
  expect(stopBoundMs(parseConfig({ FORMWIRE_STOP_DELAY: '5s', FORMWIRE_DRAIN: '1m' }))).toBe(75_000);
});

test('a stop that is not over within its bound ends as a failure', async () => {
  const ended = Promise.withResolvers<number>();
  using _ = boundStop({ boundMs: 1, log: silentLog, exit: ended.resolve });
  expect(await ended.promise).toBe(1);
});

test('a stop that is over in time ends nothing', async () => {
  const codes: number[] = [];
  boundStop({ boundMs: 1, log: silentLog, exit: (code) => codes.push(code) })[Symbol.dispose]();
  const later = Promise.withResolvers<number>();
  using _ = boundStop({ boundMs: 20, log: silentLog, exit: later.resolve });
  await later.promise;
  expect(codes).toEqual([]);
});
