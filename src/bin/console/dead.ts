import { groupDead, type DeadGroup } from '../../deliveries/dead-groups.ts';
import { readDeliveries } from '../../deliveries/delivery-rows.ts';
import { tableLines } from '../../console/table.ts';
import { agoText, countText, shortened } from '../../console/words.ts';
import { findInstallation, withDatabase } from './installation.ts';
import { operatorCommand } from './operator-command.ts';
import { jsonArgument, paint, printJson, printLines } from './print.ts';
import { readArgument } from './read-argument.ts';
import { requireThere } from './require-there.ts';

const reach = { kind: 'installation' } as const;

export const deadCommand = operatorCommand({
  args: {
    ...jsonArgument,
    form: { type: 'string', valueHint: 'form_…', description: 'Of this form.' },
    integration: { type: 'string', valueHint: 'intg_…', description: 'To this integration.' },
  },
  run: async ({ args, config }) => {
    const of = { formId: readArgument.id('form', 'form', args.form), integrationId: readArgument.id('integration', 'intg', args.integration) };
    const groups = await withDatabase(findInstallation(config), async (pool) => {
      await requireThere(pool, of);
      const found = await groupDead(pool, { reach, of });
      const examples = await readDeliveries(pool, { reach, ids: found.map(({ exampleId }) => exampleId) });
      return found.map((group) => ({ ...group, reason: examples.get(group.exampleId)?.reason ?? null }));
    });
    if (args.json) printJson(groups);
    else printLines(groups.length === 0 ? ['Nothing is dead.'] : deadLines(groups, new Date()));
    return groups.length === 0 ? 'fine' : 'found';
  },
});

function deadLines(groups: readonly (DeadGroup & { reason: string | null })[], now: Date): string[] {
  const total = groups.reduce((sum, { count }) => sum + count, 0);
  return [
    ...tableLines(groups, [
      { title: 'integration', text: ({ integrationId }) => integrationId },
      { title: 'class', text: ({ errorClass }) => errorClass ?? '–' },
      { title: 'dead', align: 'right', text: ({ count }) => countText(count), paint: (text) => paint('red', text) },
      { title: 'first', align: 'right', text: ({ first }) => agoText(first, now) },
      { title: 'last', align: 'right', text: ({ last }) => agoText(last, now) },
      { title: 'for example', text: ({ exampleId }) => exampleId },
      { title: 'why', text: ({ reason }) => shortened(reason ?? '', 60) },
    ]),
    '',
    `${countText(total)} dead. Try them again: formwire redeliver --integration intg_… --class …`,
  ];
}
