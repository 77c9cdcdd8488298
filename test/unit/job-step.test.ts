import { describe, expect, test } from 'vitest';
import { faultAfter } from '../../src/jobs/connect.ts';
import { settlementOf, type StepEnd } from '../../src/jobs/step.ts';

const after = (end: StepEnd, attempts = 0) => settlementOf(end, { attempts, scheduleMs: [5_000, 60_000], random: 0.5 });
const retry: StepEnd = { status: 'retry', error: 'TIMEOUT', reason: 'Too slow.' };

describe('a step that', () => {
  test('is done ends its job', () => expect(after({ status: 'done' })).toEqual({ status: 'done' }));

  test('has more to do comes again, with what failed before forgotten', () =>
    expect(after({ status: 'more', afterMs: 200 }, 2)).toEqual({ status: 'waits', waitMs: 200, attempts: 0, reason: null }));

  test('failed waits by the schedule, and is given up when that is used up', () => {
    expect(after(retry)).toEqual({ status: 'waits', waitMs: 5_000, attempts: 1, reason: 'Too slow.' });
    expect(after(retry, 1)).toEqual({ status: 'waits', waitMs: 60_000, attempts: 2, reason: 'Too slow.' });
    expect(after(retry, 2)).toEqual({ status: 'failed', reason: 'Given up after 3 attempts. Too slow.' });
  });

  test('was asked for a longer wait waits for that', () =>
    expect(after({ ...retry, afterMs: 30_000 })).toMatchObject({ waitMs: 30_000 }));

  test('was throttled or blocked waits, and has not failed', () => {
    expect(after({ status: 'throttled', reason: 'Full.', afterMs: 7_000 }, 1)).toEqual({ status: 'waits', waitMs: 7_000, attempts: 1, reason: 'Full.' });
    expect(after({ status: 'blocked', reason: 'Off.' }, 1)).toEqual({ status: 'waits', waitMs: 60_000, attempts: 1, reason: 'Off.' });
  });

  test('needs the owner is given up at once', () =>
    expect(after({ status: 'broken', error: 'REFUSED', reason: 'Revoked.' })).toEqual({ status: 'failed', reason: 'Revoked.' }));
});

describe('the fault of an integration after its connection', () => {
  const faultOf = (end: StepEnd, { unfit, attempts }: { unfit?: string; attempts?: number } = {}) => faultAfter({ end, unfit }, after(end, attempts));

  test('is none where it is made, or may still be', () => {
    expect([faultOf({ status: 'done' }), faultOf(retry), faultOf({ status: 'throttled', reason: 'Full.' })]).toEqual([null, null, null]);
  });

  test('is why it cannot be made', () => {
    expect(faultOf({ status: 'blocked', reason: 'Off.' })).toBe('Off.');
    expect(faultOf(retry, { attempts: 2 })).toBe('Given up after 3 attempts. Too slow.');
  });

  test('is before all that its settings do not fit', () => {
    expect(faultOf({ status: 'done' }, { unfit: 'No age.' })).toBe('No age.');
    expect(faultOf({ status: 'blocked', reason: 'Off.' }, { unfit: 'No age.' })).toBe('No age.');
  });
});
