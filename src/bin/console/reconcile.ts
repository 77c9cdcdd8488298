import type { Pool } from 'pg';
import { reconcile, type Tally } from '../../completeness/reconcile.ts';
import { repairEvents } from '../../completeness/repair.ts';
import { fates } from '../../completeness/account.ts';
import type { Id } from '../../events/id.ts';
import { tableLines } from '../../console/table.ts';
import { countOf, countText } from '../../console/words.ts';
import { showProgress } from '../demo/progress.ts';
import { WrongUse } from '../exit-codes.ts';
import { findInstallation, withDatabase } from './installation.ts';
import { operatorCommand } from './operator-command.ts';
import { jsonArgument, paint, printJson, printLines } from './print.ts';
import { readArgument } from './read-argument.ts';

export const reconcileCommand = operatorCommand({
  args: {
    ...jsonArgument,
    form: { type: 'string', valueHint: 'form_…', description: 'This form; without it, every form.' },
    since: { type: 'string', default: '24h', valueHint: 'time', description: 'Accepted then or later: a time, or how long ago (24h, 7d).' },
    until: { type: 'string', default: '0s', valueHint: 'time', description: 'Accepted before then.' },
    repair: { type: 'boolean', description: 'Put what is missing on its way again.' },
  },
  run: async ({ args, config }) => {
    const [since, until] = [readArgument.time('since', args.since), readArgument.time('until', args.until)];
    if (!since || !until || since >= until) throw new WrongUse('--since is before --until.');
    const formId = readArgument.id('form', 'form', args.form);
    const result = await withDatabase(findInstallation(config), async (pool) =>
      compareForms(pool, { formIds: formId ? [await requireForm(pool, formId)] : await formsOf(pool), since, until, repairs: args.repair === true, showsProgress: !args.json }),
    );
    if (args.json) printJson(result);
    else printLines(resultLines(result));
    return result.missing.length > result.repaired ? 'found' : 'fine';
  },
});

interface Result {
  forms: number;
  responses: number;
  events: number;
  /** One for each integration with any event that was not filtered. */
  integrations: Omit<Tally, 'isDeleted'>[];
  missing: { formId: Id<'form'>; responseId: Id<'resp'>; eventId: Id<'evt'>; eventType: string; integrationId: Id<'intg'> }[];
  /** Of the missing ones, how many are on their way again. */
  repaired: number;
}

interface Wanted {
  formIds: readonly Id<'form'>[];
  since: Date;
  until: Date;
  repairs: boolean;
  showsProgress: boolean;
}

/** A few seconds of work, after which progress is shown. */
const eventsAtOnce = 20_000;

async function compareForms(pool: Pool, { formIds, since, until, repairs, showsProgress }: Wanted): Promise<Result> {
  const result: Result = { forms: formIds.length, responses: 0, events: 0, integrations: [], missing: [], repaired: 0 };
  const tallies = new Map<Id<'intg'>, Tally>();
  for (const [index, formId] of formIds.entries()) {
    for (let after: number | null | undefined; after !== null; ) {
      const part = await reconcile({ reads: pool, pool }, { reach: { kind: 'installation' }, formId, since, until, after, most: eventsAtOnce });
      result.responses += part.responses;
      result.events += part.events;
      for (const tally of part.tallies) tallies.set(tally.integrationId, added(tallies.get(tally.integrationId), tally));
      result.missing.push(...part.missing.map(({ event, integrationId }) => ({ formId, responseId: event.responseId, eventId: event.id, eventType: event.type, integrationId })));
      if (repairs && part.missing.length > 0) {
        await repairEvents(pool, part.missing.map(({ event }) => event));
        result.repaired += part.missing.length;
      }
      after = part.next;
    }
    if (showsProgress && formIds.length > 1) showProgress('forms', index + 1, formIds.length);
  }
  result.integrations = [...tallies.values()].filter((tally) => fates.some((fate) => fate !== 'filtered' && tally[fate] > 0)).map(({ isDeleted: _, ...tally }) => tally);
  return result;
}

const added = (one: Tally | undefined, other: Tally): Tally =>
  one ? { ...one, ...Object.fromEntries(fates.map((fate) => [fate, one[fate] + other[fate]])) } : other;

async function requireForm(pool: Pool, formId: Id<'form'>): Promise<Id<'form'>> {
  if ((await pool.query('select 1 from forms where id = $1', [formId])).rowCount === 1) return formId;
  throw new Error(`There is no ${formId}.`);
}

/** Deleted ones too: what they took was promised all the same. */
async function formsOf(pool: Pool): Promise<Id<'form'>[]> {
  const { rows } = await pool.query<{ id: Id<'form'> }>('select id from forms order by id');
  return rows.map(({ id }) => id);
}

const mostShown = 20;

function resultLines({ forms, responses, events, integrations, missing, repaired }: Result): string[] {
  const table = tableLines(integrations, [
    { title: 'integration', text: ({ integrationId }) => integrationId },
    ...fates.filter((fate) => fate !== 'missing').map((fate) => ({ title: fate, align: 'right' as const, text: (tally: Result['integrations'][number]) => countText(tally[fate]) })),
    { title: 'missing', align: 'right', text: (tally) => (tally.missing > 0 ? paint('red', countText(tally.missing)) : '0') },
  ]);
  const list = missing.slice(0, mostShown).map(({ eventType, responseId, integrationId }) => `  ${eventType} of ${responseId} to ${integrationId}`);
  return [
    `${countOf(responses, 'response')}, ${countOf(events, 'event')}, ${countOf(forms, 'form')}.`,
    ...(table.length > 0 ? ['', ...table] : []),
    '',
    missing.length === 0 ? paint('green', 'Nothing is missing.') : paint('red', `${countText(missing.length)} missing:`),
    ...list,
    ...(missing.length > mostShown ? [`  … and ${countText(missing.length - mostShown)} more: --json`] : []),
    ...(repaired > 0 ? [`${countText(repaired)} on their way again.`] : []),
    ...(missing.length > repaired ? ['Put them on their way again with --repair, and find out how they were lost.'] : []),
  ];
}
