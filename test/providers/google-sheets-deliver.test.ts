import { describe, expect, test } from 'vitest';
import { formShape } from '../support/call-context.ts';
import { connectServiceAccount } from '../support/google/clients.ts';
import { googleErrors, replyOf } from '../support/google/errors.ts';
import { eventOf, newFamily, question, rowOfFamily, type Family } from '../support/sheet-events.ts';
import { openSheetWorld, type SheetWorld } from '../support/sheet-world.ts';
import type { LoggedRequest } from '../support/simulators/server.ts';

const form = formShape({ questions: [question('a'), question('b')] });
const keys = ['a', 'b'];
const isWrite = ({ operation }: LoggedRequest) => operation === 'sheets.batchUpdate';
const refusal = (error: Parameters<typeof replyOf>[0]) => ({ kind: 'reply', reply: replyOf(error, 'sheets') }) as const;

async function connected(options: Parameters<typeof openSheetWorld>[0] = {}): Promise<SheetWorld> {
  const at = await openSheetWorld({ form, ...options });
  expect(await at.connect()).toMatchObject({ status: 'done' });
  return at;
}
const below = (at: SheetWorld) => at.rows().slice(1);
const delivered = { status: 'delivered' };

describe('responses in a sheet', () => {
  test('have a row each, in the order they came, with numbers and booleans as such and formulas as texts', async () => {
    await using at = await connected();
    const families = [newFamily({ a: '=1+1', b: 1.5 }), newFamily({ a: false, b: '007' })];
    expect(await at.deliver(...families.map((family) => eventOf(family, form)))).toEqual([delivered, delivered]);
    expect(below(at)).toEqual(families.map((family) => rowOfFamily(family, keys)));
    expect(at.google.asUser.cell(at.fileId(), { row: 1, column: 4 })).toEqual({ stringValue: '=1+1' });
    expect(at.google.asUser.cell(at.fileId(), { row: 2, column: 5 })).toEqual({ stringValue: '007' });
  });

  test('are written with one call for all, and none is read while batches follow each other', async () => {
    await using at = await connected();
    await at.deliver(eventOf(newFamily({ a: 1 }), form));
    const before = at.google.requests.length;
    await at.deliver(...Array.from({ length: 300 }, (_, index) => eventOf(newFamily({ a: index }), form)));
    expect(at.google.requests.slice(before).map(({ operation }) => operation)).toEqual(['sheets.batchUpdate']);
    expect(below(at)).toHaveLength(301);
  });

  test('that are too large for one request are written in several', async () => {
    await using at = await connected();
    const before = at.count('sheets.batchUpdate');
    const families = Array.from({ length: 50 }, () => newFamily({ a: 'x'.repeat(49_000) }));
    await at.deliver(...families.map((family) => eventOf(family, form)));
    expect(at.count('sheets.batchUpdate') - before).toBe(2);
    expect(at.google.requests.filter(isWrite).every(({ body }) => body.length < 2_000_000)).toBe(true);
    expect(below(at)).toHaveLength(50);
  });

  test('that are amended are written over, and erased ones leave a blank, marked row', async () => {
    await using at = await connected();
    const [first, second, third] = [newFamily({ a: 1, b: 2 }), newFamily({ a: 3 }), newFamily({ a: 4 })];
    await at.deliver(...[first, second, third].map((family) => eventOf(family, form)));
    const amended: Family = { ...first, revision: 2, answers: { b: 5 } };
    const erased: Family = { ...second, isErased: true };
    await at.deliver(eventOf(amended, form), eventOf(erased, form));
    expect(below(at)).toEqual([amended, erased, third].map((family) => expect.objectContaining(rowOfFamily(family, keys))));
  });

  test('of which a batch has several revisions show the newest', async () => {
    await using at = await connected();
    const family = newFamily({ a: 1 });
    const second: Family = { ...family, revision: 2, answers: { a: 2 } };
    expect(await at.deliver(eventOf(second, form), eventOf(family, form))).toEqual([delivered, delivered]);
    expect(below(at)).toEqual([rowOfFamily(second, keys)]);
  });

  test('do not go back to an older revision that comes late', async () => {
    await using at = await connected();
    const family = newFamily({ a: 1 });
    const second: Family = { ...family, revision: 2, answers: { a: 2 } };
    await at.deliver(eventOf(second, form));
    at.restart();
    expect(await at.deliver(eventOf(family, form))).toEqual([{ status: 'delivered', responseBody: 'A newer revision of the response has its row.' }]);
    await at.deliver(eventOf(second, form));
    expect(below(at)).toEqual([rowOfFamily(second, keys)]);
  });

  test('that were erased do not come back, also where they had no row yet', async () => {
    await using at = await connected();
    const family = newFamily({ a: 1 });
    expect(await at.deliver(eventOf({ ...family, isErased: true }, form))).toEqual([{ status: 'delivered', responseBody: 'The response has no row.' }]);
    expect(await at.deliver(eventOf(family, form), eventOf({ ...family, revision: 2 }, form))).toMatchObject([delivered, delivered]);
    expect(below(at)).toEqual([]);
  });

  test('that two processes write at once stay with the newer one', async () => {
    await using at = await connected();
    const family = newFamily({ a: 1 });
    const second: Family = { ...family, revision: 2, answers: { a: 2 } };
    const third: Family = { ...family, revision: 3, answers: { a: 3 } };
    const one = at.deliver(eventOf(second, form));
    at.restart();
    const both = [...(await one), ...(await at.deliver(eventOf(third, form)))];
    await at.deliverAll([eventOf(second, form), eventOf(third, form)]);
    expect(both.some(({ status }) => status === 'delivered')).toBe(true);
    expect(below(at)).toEqual([rowOfFamily(third, keys)]);
  });

  test('say where a text was cut', async () => {
    await using at = await connected();
    const outcomes = await at.deliver(eventOf(newFamily({ a: 'x'.repeat(60_000) }), form));
    expect(outcomes).toEqual([{ status: 'delivered', responseBody: 'Texts longer than the 50,000 characters that a cell holds were cut: in "Question a".' }]);
  });

  test('wait for a sheet that is not made yet', async () => {
    await using at = await openSheetWorld({ form });
    expect(await at.deliver(eventOf(newFamily({ a: 1 }), form))).toEqual([{ status: 'throttled', reason: 'The spreadsheet is not made yet.', afterMs: 5_000 }]);
  });
});

describe('a sheet whose form has changed', () => {
  test('gets the columns that a batch needs before its rows', async () => {
    await using at = await connected();
    at.form = { ...form, version: 2, questions: [question('c'), question('b'), question('a')] };
    const family = newFamily({ a: 1, b: 2, c: 3 });
    await at.deliver(eventOf(family, at.form));
    expect(at.rows()).toEqual([['Response', 'Submitted', 'Revision', 'Flags', 'Question a', 'Question b', 'Question c'], rowOfFamily(family, ['a', 'b', 'c'])]);
  });

  test('keeps taking answers to questions that were removed, in their columns', async () => {
    await using at = await connected();
    at.form = { ...form, version: 2, questions: [question('b')] };
    const family = newFamily({ a: 1, b: 2 });
    await at.deliver(eventOf(family, form));
    expect(at.rows()[0]?.slice(4)).toEqual(['Question a (removed)', 'Question b']);
    expect(below(at)).toEqual([rowOfFamily(family, keys)]);
  });
});

describe('a user who moves columns', () => {
  test('between two batches is followed', async () => {
    await using at = await connected();
    at.google.asUser.moveColumn(at.fileId(), { from: 5, to: 0 });
    await at.deliver(eventOf(newFamily({ a: 1, b: 2 }), form));
    expect(at.rows().map((row) => [row[0], row[5]])).toEqual([['Question b', 'Question a'], [2, 1]]);
  });

  test('in the seconds in which nobody looked is noticed by the write itself, and the rows are written again', async () => {
    await using at = await connected();
    await at.deliver(eventOf(newFamily({ a: 1, b: 2 }), form));
    at.google.asUser.moveColumn(at.fileId(), { from: 5, to: 4 });
    const [second, third] = [newFamily({ a: 3, b: 4 }), newFamily({ a: 5, b: 6 })];
    expect(await at.deliver(eventOf(second, form))).toEqual([delivered]);
    await at.deliver(eventOf(third, form));
    expect(at.rows().map((row) => row.slice(4))).toEqual([['Question b', 'Question a'], [2, 1], [4, 3], [6, 5]]);
  });

  test('and puts own ones in between finds nothing of ours in them', async () => {
    await using at = await connected();
    await at.deliver(eventOf(newFamily({ a: 1, b: 2 }), form));
    at.google.asUser.moveColumn(at.fileId(), { from: 5, to: 0 });
    at.google.asUser.deleteColumn(at.fileId(), { column: 3 });
    await at.deliver(eventOf(newFamily({ a: 3, b: 4 }), form));
    expect(at.rows()[0]).toEqual(['Question b', 'Response', 'Submitted', 'Flags', 'Question a', 'Revision']);
    expect(at.rows().map((row) => [row[0], row[4]])).toEqual([['Question b', 'Question a'], [2, 1], [4, 3]]);
  });

  test('deletes rows below does not keep a batch from its place', async () => {
    await using at = await connected();
    await at.deliver(eventOf(newFamily({ a: 1 }), form));
    at.google.asUser.deleteRows(at.fileId(), { row: 2, count: 998 });
    const family = newFamily({ a: 2 });
    expect(await at.deliver(eventOf(family, form))).toEqual([delivered]);
    expect(below(at)[1]).toEqual(rowOfFamily(family, keys));
  });
});

describe('trouble with Google', () => {
  test.each([
    ['a quota', refusal(googleErrors.rateLimitExceeded(undefined, 7)), { status: 'throttled', afterMs: 7_000 }],
    ['a right that was taken away', refusal(googleErrors.forbidden()), { status: 'blocked' }],
    ['a file that was deleted', refusal(googleErrors.notFound()), { status: 'blocked' }],
    ['a failure', refusal(googleErrors.backendError()), { status: 'retry', error: 'HTTP_STATUS' }],
    ['a reset', { kind: 'drop', applied: true } as const, { status: 'retry', error: 'CONNECTION' }],
    ['half an answer', { kind: 'truncated' } as const, { status: 'retry', error: 'CONNECTION' }],
  ])('that is %s is the outcome of all that it kept from being written, and leaves each row once', async (_, outcome, expected) => {
    await using at = await connected();
    const events = [newFamily({ a: 1 }), newFamily({ a: 2 })].map((family) => eventOf(family, form));
    at.google.faults.add({ when: isWrite, outcome });
    expect(await at.deliver(...events)).toEqual([expect.objectContaining(expected), expect.objectContaining(expected)]);
    await at.deliverAll(events);
    expect(below(at)).toHaveLength(2);
  });

  test('of a revoked key keeps everything for when it is given again', async () => {
    await using at = await connected();
    at.google.accounts.revoke(at.account);
    expect(await at.deliver(eventOf(newFamily({ a: 1 }), form))).toMatchObject([{ status: 'blocked', reason: expect.stringContaining('revoked') }]);
  });

  test('is not asked for where the file lies in the bin', async () => {
    await using at = await connected();
    at.google.asUser.trash(at.fileId());
    at.clock.advance(60_000);
    expect(await at.deliver(eventOf(newFamily({ a: 1 }), form))).toMatchObject([{ status: 'blocked', reason: expect.stringContaining('is in the bin: restore it') }]);
  });

  test('about the tab with the responses says what to do', async () => {
    await using at = await connected();
    const { sheets } = connectServiceAccount(at.google, at.account);
    await sheets.spreadsheets.batchUpdate({ spreadsheetId: at.fileId(), requestBody: { requests: [{ addSheet: { properties: { title: 'Mine' } } }, { deleteSheet: { sheetId: 0 } }] } });
    expect(await at.deliver(eventOf(newFamily({ a: 1 }), form))).toMatchObject([{ status: 'blocked', reason: expect.stringContaining('version history') }]);
  });
});

describe('a row that Google refuses', () => {
  const poison = (text: string) => ({ when: (request: LoggedRequest) => isWrite(request) && request.body.includes(text), times: Infinity, outcome: refusal(googleErrors.invalidArgument(`Invalid value "${text}".`)) });

  test('is rejected alone, says so in its place, and the others are written', async () => {
    await using at = await connected();
    const families = Array.from({ length: 20 }, (_, index) => newFamily({ a: index === 13 ? 'P0ISON' : index }));
    at.google.faults.add(poison('P0ISON'));
    const outcomes = await at.deliver(...families.map((family) => eventOf(family, form)));
    expect(outcomes.map(({ status }) => status)).toEqual(families.map((_, index) => (index === 13 ? 'rejected' : 'delivered')));
    expect(outcomes[13]).toMatchObject({ error: 'REFUSED', reason: 'Google refused the request: Invalid value "…".' });
    expect(below(at).map(([id]) => id)).toEqual(families.map(({ id }) => id));
    expect(below(at)[13]?.slice(3)).toEqual(['(could not be written)', null, null]);
  });

  test('together with everything else is not the row’s fault', async () => {
    await using at = await connected();
    at.google.faults.add({ when: isWrite, times: Infinity, outcome: refusal(googleErrors.invalidArgument('Nothing goes.')) });
    const outcomes = await at.deliver(...Array.from({ length: 8 }, (_, index) => eventOf(newFamily({ a: index }), form)));
    expect(new Set(outcomes.map(({ status }) => status))).toEqual(new Set(['retry']));
    expect(at.google.requests.filter(isWrite).length).toBeLessThan(20);
  });
});

describe('a sheet that outgrows its spreadsheet', () => {
  const wide = formShape({ title: 'Wide', questions: Array.from({ length: 496 }, (_, index) => question(`k${index}`)) });

  test('goes on in the next one, made and shared on the way, and rows stay where they are', async () => {
    await using at = await openSheetWorld({ form: wide });
    await at.connect();
    const [early, last] = [newFamily({ k0: 1 }), newFamily({ k0: 2 })];
    await at.deliver(eventOf(early, wide));
    const { ledger } = at.context();
    for (let count = 0; count < 16; count += 1) await ledger.reserve(Array.from({ length: 1_000 }, (_, index) => `taken ${count} ${index}`));
    at.google.faults.add({ when: ({ operation }) => operation === 'drive.files.create', outcome: { kind: 'drop', applied: true } });
    expect(await at.deliverAll([eventOf(last, wide)])).toEqual([delivered]);
    const amended: Family = { ...early, revision: 2, answers: { k0: 3 } };
    expect(await at.deliver(eventOf(amended, wide), eventOf(newFamily({ k0: 4 }), wide))).toEqual([delivered, delivered]);

    expect(at.spreadsheets().map(({ name, permissions }) => [name, permissions.length])).toEqual([['Wide', 1], ['Wide (2)', 1]]);
    const [first, second] = at.spreadsheets().map(({ id }) => at.google.asUser.rows(id).slice(1).map((row) => row[4]));
    expect(first).toEqual([3]);
    expect(second?.filter((value) => value !== undefined && value !== null)).toEqual([2, 4]);
  });
});
