import { expect, test } from 'vitest';
import { checkProcesses } from '../../src/console/checks/process-checks.ts';
import { newId } from '../../src/events/id.ts';
import type { ProcessRow } from '../../src/processes/process-rows.ts';

const row = (change: Partial<ProcessRow> = {}): ProcessRow => ({
  id: newId('prc'), host: 'one', pid: 7, roles: ['api', 'relay', 'dispatcher'], version: '0.1.0', url: 'http://127.0.0.1:4000', reasons: [], dispatcherId: null,
  startedAt: new Date(0), clockAheadMs: 3, isAlive: true, seenMsAgo: 2_000, ...change,
});
const found = (...rows: ProcessRow[]) => checkProcesses(rows).map(({ check, state, seen }) => [check, state, seen]);

test('one process with every role is all that is needed', () => expect(found(row())).toEqual([['processes', 'sound', '1 alive']]));

test('a role that nobody has is wrong, also where somebody had it who is gone', () => {
  expect(found(row({ roles: ['api'] }))).toEqual([['processes', 'wrong', 'none has the role relay']]);
  const gone = row({ host: 'two', roles: ['relay'], isAlive: false, seenMsAgo: 120_000 });
  expect(found(row({ roles: ['api'] }), gone)).toEqual([
    ['processes', 'wrong', 'none has the role relay'],
    ['processes', 'doubtful', 'two:7 is gone: it was seen 2 m ago, and did not say goodbye'],
  ]);
});

test('what a process lacks is told with its name', () => {
  expect(found(row({ reasons: ['NATS cannot be reached.'] })).at(-1)).toEqual(['processes', 'doubtful', 'one:7: NATS cannot be reached.']);
});

test('two versions side by side are an upgrade that nobody has finished', () => {
  expect(found(row(), row({ version: '0.2.0' })).at(-1)).toEqual(['versions', 'doubtful', '0.1.0 and 0.2.0 run side by side']);
});

test('a clock that is a second off is doubtful, one that is a minute off is wrong', () => {
  expect(found(row({ clockAheadMs: -1_500 })).at(-1)).toEqual(['clocks', 'doubtful', 'that of one:7 is 1 s behind the database\'s']);
  expect(found(row({ clockAheadMs: 90_000 })).at(-1)).toEqual(['clocks', 'wrong', 'that of one:7 is 1 m ahead of the database\'s']);
});
