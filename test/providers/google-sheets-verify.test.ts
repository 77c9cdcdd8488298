import { describe, expect, test } from 'vitest';
import { createGoogleSheets } from '../../integrations/google-sheets/google-sheets.ts';
import type { VerifyPage } from '../../integrations/provider.ts';
import { formShape } from '../support/call-context.ts';
import { eventOf, newFamily, question, rowOfFamily, type Family } from '../support/sheet-events.ts';
import { openSheetWorld, type SheetWorld } from '../support/sheet-world.ts';

const form = formShape({ questions: [question('a'), question('b')] });
const keys = ['a', 'b'];

interface Filled extends SheetWorld {
  families: Family[];
  verify(page?: Partial<VerifyPage>): Promise<{ differing: string[]; surplus: readonly string[] }>;
  /** Delivers again what differs. */
  repair(): Promise<readonly string[]>;
}

async function filled(count = 5): Promise<Filled> {
  const at = await openSheetWorld({ form });
  await at.connect();
  const families = Array.from({ length: count }, (_, index) => newFamily({ a: index, b: `b${index}` }));
  await at.deliver(...families.map((family) => eventOf(family, form)));
  const page = (): VerifyPage => {
    const events = self.families.filter(({ isErased }) => !isErased).map((family) => eventOf(family, self.form));
    return { events, erased: self.families.filter(({ isErased }) => isErased).map(({ id }) => id), isLast: true, repair: false };
  };
  const compared = async (given: VerifyPage) => {
    const settled = await self.provider.verify(given, self.context());
    if (settled.status !== 'done') throw new Error(settled.reason);
    return { settled, events: given.events };
  };
  const self: Filled = Object.assign(at, {
    families,
    async verify(changes: Partial<VerifyPage> = {}) {
      const { settled } = await compared({ ...page(), ...changes });
      return { differing: settled.differing.map(({ difference }) => difference), surplus: settled.surplus };
    },
    async repair() {
      const { settled, events } = await compared({ ...page(), repair: true });
      const ids = new Set(settled.differing.map(({ responseId }) => responseId));
      await self.deliverAll(events.filter(({ responseId }) => ids.has(responseId)));
      return settled.surplus;
    },
  });
  return self;
}

const clean = { differing: [], surplus: [] };
const blank = Array.from({ length: 6 }, () => null);
function expectTruth(at: Filled): void {
  const rows = at.rows().slice(1).map((row) => [...row, ...blank].slice(0, 6));
  const used = rows.slice(0, rows.findLastIndex((row) => row.some((value) => value !== null)) + 1);
  expect(used).toEqual(at.families.map((family) => rowOfFamily(family, keys)));
}

describe('a sheet that is compared with its responses', () => {
  test('is as it should be after it was filled, and that takes few reads', async () => {
    await using at = await filled(300);
    const before = at.google.requests.length;
    expect(await at.verify()).toEqual(clean);
    expect(at.google.requests.slice(before).map(({ operation }) => operation)).toEqual(['sheets.values.batchGetByDataFilter', 'sheets.values.batchGetByDataFilter']);
  });

  test('says where a cell was changed, and which column it is', async () => {
    await using at = await filled();
    at.google.asUser.type(at.fileId(), { row: 2, column: 4, text: '99' });
    expect(await at.verify()).toEqual({ differing: ['Row 3 differs in "Question a".'], surplus: [] });
    await at.repair();
    expectTruth(at);
  });

  test('comes back after a user sorted it', async () => {
    await using at = await filled();
    at.google.asUser.sortBy(at.fileId(), { column: 4, descending: true });
    const found = await at.verify();
    expect(found.differing).toHaveLength(4);
    expect(found.surplus).toHaveLength(4);
    await at.repair();
    expect(await at.verify()).toEqual(clean);
    expectTruth(at);
  });

  test('comes back after rows were deleted', async () => {
    await using at = await filled();
    at.google.asUser.deleteRows(at.fileId(), { row: 1, count: 2 });
    expect((await at.verify()).differing).toHaveLength(5);
    await at.repair();
    expectTruth(at);
  });

  test('comes back after rows were put in, and loses the copies below its last response', async () => {
    await using at = await filled();
    at.google.asUser.insertRows(at.fileId(), { row: 2, count: 3 });
    expect((await at.verify()).surplus).toHaveLength(4);
    expect(await at.repair()).toHaveLength(4);
    expectTruth(at);
    expect(await at.verify()).toEqual(clean);
    const next = newFamily({ a: 5, b: 'b5' });
    at.families.push(next);
    await at.deliver(eventOf(next, form));
    expectTruth(at);
  });

  test('is left as it is where nobody asks for repairs', async () => {
    await using at = await filled();
    at.google.asUser.insertRows(at.fileId(), { row: 2 });
    const before = at.rows();
    await at.verify();
    expect(at.rows()).toEqual(before);
    expect(at.count('sheets.batchUpdate')).toBe(2);
  });

  test('gets its columns back, and what was in them', async () => {
    await using at = await filled();
    at.google.asUser.deleteColumn(at.fileId(), { column: 4 });
    at.clock.advance(10_000);
    expect((await at.verify()).differing).toEqual(at.families.map((_, index) => `Row ${index + 2} differs in "Question a".`));
    await at.repair();
    expect(at.rows().map((row) => row.slice(4))).toEqual([['Question b', 'Question a'], ...at.families.map(({ answers }) => [answers['b'], answers['a']])]);
  });

  test('shows no erased response, though a user brought it back', async () => {
    await using at = await filled();
    const [first] = at.families;
    if (first) first.isErased = true;
    await at.deliver(eventOf(first as Family, form));
    at.google.asUser.type(at.fileId(), { row: 1, column: 5, text: 'secret' });
    expect(await at.verify()).toEqual({ differing: [], surplus: ['Of an erased response: Row 2 differs in "Question b".'] });
    await at.repair();
    expectTruth(at);
  });

  test('does not call wrong what a newer event is about to change, or has changed', async () => {
    await using at = await filled();
    const [first] = at.families as [Family];
    const old = eventOf(first, form);
    Object.assign(first, { revision: 2, answers: { a: 10, b: 'new' } });
    await at.deliver(eventOf(first, form));
    expect(await at.verify({ events: [old] })).toEqual(clean);
    const missing = newFamily({ a: 1 });
    expect((await at.verify({ events: [eventOf(missing, form)] })).differing).toEqual(['It has no row yet.']);
  });

  test('leaves alone what users write beside and below it', async () => {
    await using at = await filled();
    at.google.asUser.type(at.fileId(), { row: 20, column: 0, text: 'My sums' });
    at.google.asUser.type(at.fileId(), { row: 20, column: 4, text: '123' });
    expect(await at.verify({ repair: true })).toEqual(clean);
    expect(at.rows()[20]?.filter((value) => value !== null)).toEqual(['My sums', 123]);
  });
});

describe('rows that come while copies are cleared', () => {
  test('are kept out, without an attempt that counts, and written when it is over', async () => {
    await using at = await filled();
    at.google.asUser.insertRows(at.fileId(), { row: 2, count: 1 });
    const other = createGoogleSheets();
    const next = newFamily({ a: 5, b: 'b5' });
    const outcomes: Promise<unknown>[] = [];
    at.google.faults.add({ when: (request) => request.operation === 'sheets.batchUpdate' && void outcomes.push(other.deliver([{ event: eventOf(next, form), attempt: 1 }], at.context())) === undefined, delayMs: 100 });
    await at.repair();
    expect(await Promise.all(outcomes)).toEqual([[{ status: 'throttled', reason: 'The spreadsheet is being repaired.', afterMs: 5_000 }]]);
    at.families.push(next);
    await at.deliver(eventOf(next, form));
    expectTruth(at);
  });

  test('at the very moment when it begins are written once more', async () => {
    await using at = await filled();
    at.google.asUser.insertRows(at.fileId(), { row: 2, count: 2 });
    const other = createGoogleSheets();
    const next = newFamily({ a: 5, b: 'b5' });
    at.google.faults.add({ when: (request) => request.operation === 'sheets.batchUpdate' && request.body.includes(next.id), answerDelayMs: 400 });
    const delivering = other.deliver([{ event: eventOf(next, form), attempt: 1 }], at.context());
    await expect.poll(() => at.google.requests.some(({ body, applied }) => applied && body.includes(next.id))).toBe(true);
    await at.verify({ repair: true });
    expect(await delivering).toMatchObject([{ status: 'throttled' }]);
  });
});
