import { expect, test } from 'vitest';
import { createOrderGate } from '../../src/dispatcher/order-gate.ts';
import type { Work } from '../../src/dispatcher/work.ts';

const workAt = (position: number): Work => ({ event: { position } }) as Work;

test('an open gate lets a delivery through whose predecessors have come by', async () => {
  const gate = createOrderGate({ isBlocked: false, earlierUndispatched: () => Promise.resolve([1]) });
  gate.pass(2);
  expect(await gate.allows(workAt(2))).toBe(false);
  gate.pass(1);
  gate.pass(3);
  expect(await gate.allows(workAt(3))).toBe(true);
});

test('what came by behind a delivery does not count as before it: it was published late, and waits behind it', async () => {
  const gate = createOrderGate({ isBlocked: false, earlierUndispatched: () => Promise.resolve([1]) });
  gate.pass(2);
  gate.pass(1);
  expect(await gate.allows(workAt(2))).toBe(false);
});

test('what comes by again keeps the place that it had', async () => {
  const gate = createOrderGate({ isBlocked: false, earlierUndispatched: () => Promise.resolve([1]) });
  gate.pass(1);
  gate.pass(2);
  gate.pass(1);
  expect(await gate.allows(workAt(2))).toBe(true);
});

test('a gate blocked by a take-over is not opened by a look at the database from before it', () => {
  const gate = createOrderGate({ isBlocked: true, earlierUndispatched: () => Promise.resolve([]) });
  const mark = gate.mark();
  gate.block();
  gate.release(mark);
  expect(gate.isBlocked()).toBe(true);
  gate.release(gate.mark());
  expect(gate.isBlocked()).toBe(false);
});

test('what came by before a take-over may have been dropped with its lease: it has to come by again', async () => {
  const gate = createOrderGate({ isBlocked: false, earlierUndispatched: () => Promise.resolve([1]) });
  gate.pass(1);
  gate.block();
  gate.release(gate.mark());
  gate.pass(2);
  expect(await gate.allows(workAt(2))).toBe(false);
});
