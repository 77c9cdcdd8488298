import type { Pool } from 'pg';
import { fates } from '../../completeness/account.ts';
import type { Id } from '../../events/id.ts';
import { tableLines } from '../../console/table.ts';
import { countOf, countText } from '../../console/words.ts';
import { noProgress, openProgress } from '../demo/progress.ts';
import { WrongUse } from '../exit-codes.ts';
import { compareForms, countEvents, type Compared } from './compare-forms.ts';
import { findInstallation, withDatabase } from './installation.ts';
import { auditLog, operatorName } from './operator.ts';
import { operatorCommand } from './operator-command.ts';
import { jsonArgument, paint, paintCount, printJson, printLines } from './print.ts';
import { readArgument } from './read-argument.ts';
import { requireThere } from './require-there.ts';

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
    const result = await withDatabase(findInstallation(config), async (pool) => {
      await requireThere(pool, { formId });
      const wanted = { formIds: formId ? [formId] : await formsOf(pool), since, until };
      const isWatched = !args.json && process.stdout.isTTY;
      using bar = isWatched ? openProgress('events') : noProgress;
      const total = isWatched ? await countEvents(pool, wanted) : 0;
      return await compareForms(pool, {
        ...wanted,
        repairs: args.repair === true,
        onCompared: (events) => bar.show(events, Math.max(total, events)),
        // at once, and not at the end, which a long one may not come to
        onRepaired: (id, repaired) => auditLog().info({ formId: id, since, until, repaired, operator: operatorName() }, 'operator.repaired'),
      });
    });
    if (args.json) printJson(result);
    else printLines(resultLines(result));
    return result.missing.length > result.repaired ? 'found' : 'fine';
  },
});

/** Deleted ones too: what they took was promised all the same. */
async function formsOf(pool: Pool): Promise<Id<'form'>[]> {
  const { rows } = await pool.query<{ id: Id<'form'> }>('select id from forms order by id');
  return rows.map(({ id }) => id);
}

const mostShown = 20;

function resultLines({ forms, responses, events, integrations, missing, repaired }: Compared): string[] {
  const table = tableLines(integrations, [
    { title: 'integration', text: ({ integrationId }) => integrationId },
    ...fates.filter((fate) => fate !== 'missing').map((fate) => ({ title: fate, align: 'right' as const, text: (tally: Compared['integrations'][number]) => countText(tally[fate]) })),
    { title: 'missing', align: 'right', text: (tally) => countText(tally.missing), paint: paintCount('red') },
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
