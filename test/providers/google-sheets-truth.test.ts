import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { FormShape } from '../../integrations/provider.ts';
import type { Event } from '../../src/events/event.ts';
import { formShape } from '../support/call-context.ts';
import { googleErrors, replyOf } from '../support/google/errors.ts';
import { eventOf, newFamily, question, submittedAt, type Answers, type Family } from '../support/sheet-events.ts';
import { openSheetWorld, type SheetWorld } from '../support/sheet-world.ts';
import type { Outcome } from '../support/simulators/faults.ts';

/** What the database has: each response as it is now, and the version of the form it was answered to. */
interface Truth {
  families: { family: Family; form: FormShape }[];
  /** Everything that was ever to be delivered. */
  events: Event[];
  pending: Event[];
}

const keys = ['a', 'b', 'c', 'd'];
const faults: Outcome[] = [
  { kind: 'drop', applied: true },
  { kind: 'drop', applied: false },
  { kind: 'truncated' },
  { kind: 'malformed' },
  { kind: 'reply', reply: replyOf(googleErrors.backendError(), 'sheets'), applied: true },
  { kind: 'reply', reply: replyOf(googleErrors.backendError(), 'sheets') },
  { kind: 'reply', reply: replyOf(googleErrors.rateLimitExceeded(undefined, 3), 'sheets') },
];

const value = fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => (Object.is(number, -0) ? 0 : number)), fc.boolean(), fc.constantFrom('=1+1', '12', 'text\nin lines', '🙂'));
const answers = fc.dictionary(fc.constantFrom(...keys), value, { maxKeys: 4 }).map((given): Answers => ({ ...given }));
const step = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('submit' as const), answers: fc.array(answers, { minLength: 1, maxLength: 5 }) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('amend' as const), which: fc.nat(), answers }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('erase' as const), which: fc.nat() }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('form' as const), keys: fc.shuffledSubarray(keys, { minLength: 1 }) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('deliver' as const), late: fc.array(fc.nat(), { maxLength: 3 }) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('fault' as const), which: fc.nat(faults.length - 1), skip: fc.nat(2) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('user' as const), does: fc.constant('move' as const), one: fc.nat(), two: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('user' as const), does: fc.constantFrom('move', 'delete column', 'sort', 'type', 'delete rows', 'insert rows'), one: fc.nat(), two: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('time' as const), restarts: fc.boolean() }) },
);
type Step = (typeof step extends fc.Arbitrary<infer S> ? S : never);

async function take(at: SheetWorld, truth: Truth, next: Step): Promise<void> {
  const say = (event: Event): void => [truth.events, truth.pending].forEach((list) => list.push(event));
  const living = truth.families.filter(({ family }) => !family.isErased);
  switch (next.kind) {
    case 'submit':
      for (const given of next.answers) {
        const family = newFamily(given);
        truth.families.push({ family, form: at.form });
        say(eventOf(family, at.form));
      }
      return;
    case 'amend':
    case 'erase': {
      const one = living[next.which % living.length];
      if (!one) return;
      one.family = next.kind === 'erase' ? { ...one.family, isErased: true } : { ...one.family, revision: one.family.revision + 1, answers: next.answers };
      one.form = at.form;
      return say(eventOf(one.family, at.form));
    }
    case 'form':
      at.form = { ...at.form, version: at.form.version + 1, questions: next.keys.map((key) => question(key)) };
      return;
    case 'deliver':
      return deliverSome(at, truth, next.late.flatMap((which) => truth.events[which % truth.events.length] ?? []));
    case 'fault': {
      let left = next.skip;
      at.google.faults.add({ when: ({ operation }) => operation.startsWith('sheets.') && (left -= 1) < 0, outcome: faults[next.which]! });
      return;
    }
    case 'user':
      return meddle(at, next);
    case 'time':
      at.clock.advance(10_000);
      if (next.restarts) at.restart();
  }
}

/** One attempt at all that is pending, with events that come once more, late: these too are tried until they are delivered. */
async function deliverSome(at: SheetWorld, truth: Truth, late: readonly Event[]): Promise<void> {
  const batch = [...truth.pending, ...late];
  if (batch.length === 0) return;
  const outcomes = await at.deliver(...batch);
  truth.pending = [...new Set(batch.filter((_, index) => outcomes[index]?.status !== 'delivered'))];
}

function meddle(at: SheetWorld, { does, one, two }: Extract<Step, { kind: 'user' }>): void {
  const { asUser } = at.google;
  const rows = at.rows();
  const [width, height] = [Math.max(...rows.map((row) => row.length)), rows.length];
  const [column, row] = [one % width, 1 + (two % height)];
  if (does === 'move') asUser.moveColumn(at.fileId(), { from: column, to: two % 2 === 0 ? 0 : width });
  if (does === 'delete column' && width > 3) asUser.deleteColumn(at.fileId(), { column });
  if (does === 'sort') asUser.sortBy(at.fileId(), { column, descending: two % 2 === 0 });
  if (does === 'type') asUser.type(at.fileId(), { row, column, text: String(two) });
  if (does === 'delete rows') asUser.deleteRows(at.fileId(), { row, count: 2 });
  if (does === 'insert rows') asUser.insertRows(at.fileId(), { row, count: 2 });
}

/** What the product does in time: the form's change is brought over, and what is left is delivered. */
async function settle(at: SheetWorld, truth: Truth): Promise<void> {
  at.google.faults.clear();
  expect(await at.connect()).toMatchObject({ status: 'done' });
  await at.deliverAll(truth.pending);
}

/** What was written and then changed comes back where a comparison is asked for; columns that were moved need none. */
const needsRepair = (next: Step): boolean => next.kind === 'user' && next.does !== 'move';

async function repair(at: SheetWorld, truth: Truth): Promise<void> {
  const page = pageOf(truth);
  const found = await at.provider.verify({ ...page, repair: true }, at.context());
  const wrong = new Set(found.status === 'done' ? found.differing.map(({ responseId }) => responseId) : []);
  await at.deliverAll(page.events.filter(({ responseId }) => wrong.has(responseId)));
}

const pageOf = ({ families }: Truth) => ({
  events: families.filter(({ family }) => !family.isErased).map(({ family, form }) => ({ ...eventOf({ ...family, revision: family.revision }, form), responseId: family.id })),
  erased: families.filter(({ family }) => family.isErased).map(({ family }) => family.id),
  isLast: true,
  repair: false,
});

/** Each response once, in the right columns, as the kinds that were answered. */
function expectTruth(at: SheetWorld, { families }: Truth): void {
  const [titles = [], ...rows] = at.rows();
  const columnOf = (title: string) => titles.findIndex((found) => found === title || found === `${title} (removed)`);
  const [idColumn, revisionColumn, timeColumn] = ['Response', 'Revision', 'Submitted'].map(columnOf) as [number, number, number];
  for (const { key } of at.form.questions) expect(titles).toContain(`Question ${key}`);
  const living = families.filter(({ family }) => !family.isErased);
  const ids = rows.map((row) => String(row[idColumn])).filter((id) => id.startsWith('resp_'));
  expect(ids.toSorted()).toEqual(living.map(({ family }) => family.id).toSorted());
  for (const { family, form } of living) {
    const row = rows.find((found) => found[idColumn] === family.id) ?? [];
    expect([row[revisionColumn], row[timeColumn]]).toEqual([family.revision, submittedAt.toISOString()]);
    for (const key of keys) {
      const answered = form.questions.some((asked) => asked.key === key) ? family.answers[key] : undefined;
      const index = columnOf(`Question ${key}`);
      if (index >= 0) expect(row[index] ?? null, `${key} of ${family.id}`).toBe(answered ?? null);
    }
  }
}

test('whatever happens on the way, the sheet ends as the database is: a row for each response, in the right columns', { timeout: 120_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 25 }), async (steps) => {
      await using at = await openSheetWorld({ form: formShape({ questions: [question('a'), question('b')] }) });
      await at.connect();
      const truth: Truth = { families: [], events: [], pending: [] };
      for (const next of steps) await take(at, truth, next);
      await settle(at, truth);
      if (steps.some(needsRepair)) await repair(at, truth);
      expectTruth(at, truth);
      expect(await at.provider.verify(pageOf(truth), at.context())).toEqual({ status: 'done', differing: [], surplus: [] });
    }),
    { numRuns: 40 },
  );
});
