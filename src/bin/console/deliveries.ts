import type { Pool } from 'pg';
import { attemptsOfDeliveries, pageOfDeliveries, readDeliveries, type AttemptRow, type DeliveryRow } from '../../deliveries/delivery-rows.ts';
import { isId, type Id } from '../../events/id.ts';
import { oneLine, tableLines } from '../../console/table.ts';
import { agoText, countText, shortened } from '../../console/words.ts';
import { WrongUse } from '../exit-codes.ts';
import { deliveryArguments, readDeliveryArguments, readStatus } from './delivery-arguments.ts';
import { findInstallation, withDatabase } from './installation.ts';
import { operatorCommand } from './operator-command.ts';
import { jsonArgument, paint, printJson, printLines } from './print.ts';
import { readArgument } from './read-argument.ts';
import { requireThere } from './require-there.ts';

const mostListed = 1_000;
const reach = { kind: 'installation' } as const;

export const deliveriesCommand = operatorCommand({
  args: {
    ...jsonArgument,
    ...deliveryArguments,
    status: { type: 'string', valueHint: 'status', description: 'pending, delivered, dead or canceled.' },
    limit: { type: 'string', default: '20', valueHint: 'count', description: `How many, at most ${mostListed}.` },
  },
  takesWords: true,
  run: async ({ args, words, config }) => {
    const limit = readArgument.count('limit', args.limit, { most: mostListed });
    const { formId, filter } = readDeliveryArguments(args, readStatus(args.status));
    const ids = words.map(requireDelivery);
    await withDatabase(findInstallation(config), async (pool) => {
      if (ids.length > 0) return tell(pool, { ids, json: args.json });
      await requireThere(pool, { formId, integrationId: filter.integrationId });
      const rows = await pageOfDeliveries(pool, { reach, formId, filter, range: { after: undefined, before: undefined, limit, reversed: true } });
      if (args.json) printJson(rows);
      else printLines(rows.length === 0 ? ['There are none.'] : listLines(rows));
    });
    return 'fine';
  },
});

/** Throws where one is not there, after the others were told. */
async function tell(pool: Pool, { ids, json }: { ids: readonly Id<'dlv'>[]; json: boolean | undefined }): Promise<void> {
  const found = await readDeliveries(pool, { reach, ids });
  const attempts = await attemptsOfDeliveries(pool, { reach, deliveryIds: ids });
  const told = [...found.values()].map((row) => ({ ...row, attempts: attempts.get(row.id) ?? [] }));
  if (json) printJson(told);
  else printLines(told.flatMap(detailLines));
  const missing = ids.filter((id) => !found.has(id));
  if (missing.length > 0) throw new Error(`There is no ${missing.join(', ')}.`);
}

export function requireDelivery(text: string): Id<'dlv'> {
  if (isId('dlv', text)) return text;
  throw new WrongUse(`A delivery has an id such as dlv_01m7yftfc1e4st9313egv8f9m1, not "${text}".`);
}

function paintStatus(text: string, { status }: Pick<DeliveryRow, 'status'>): string {
  if (status === 'dead') return paint('red', text);
  return status === 'pending' ? paint('yellow', text) : text;
}

function listLines(rows: readonly DeliveryRow[]): string[] {
  const now = new Date();
  return tableLines(rows, [
    { title: 'delivery', text: ({ id }) => id },
    { title: 'status', text: ({ status }) => status, paint: paintStatus },
    { title: 'event', text: ({ eventType }) => eventType },
    { title: 'integration', text: ({ integrationId }) => integrationId },
    { title: 'age', align: 'right', text: ({ createdAt }) => agoText(createdAt, now) },
    { title: 'tries', align: 'right', text: ({ attemptCount }) => countText(attemptCount) },
    { title: 'class', text: ({ errorClass }) => errorClass ?? '' },
    { title: 'why', text: ({ reason }) => shortened(reason ?? '', 60) },
  ]);
}

function detailLines(row: DeliveryRow & { attempts: AttemptRow[] }): string[] {
  const facts: [string, string | null | undefined][] = [
    ['why', row.reason],
    ['event', `${row.eventType} ${row.eventId}`],
    ['response', row.responseId],
    ['integration', row.integrationId],
    ['recorded', row.createdAt.toISOString()],
    ['next try', row.nextAttemptAt?.toISOString()],
    ['finished', row.finishedAt?.toISOString()],
    ['redelivered', row.redeliveredAt && `${row.redeliveredAt.toISOString()} by ${row.redeliveredBy ?? 'nobody known'}${row.redeliveredById ? ` ${row.redeliveredById}` : ''}`],
  ];
  const attempts = tableLines(row.attempts, [
    { title: '#', align: 'right', text: ({ number }) => `${number}` },
    { title: 'at', text: ({ at }) => at.toISOString() },
    { title: 'took', align: 'right', text: ({ durationMs }) => `${countText(durationMs)} ms` },
    { title: 'outcome', text: ({ outcome }) => outcome },
    { title: 'HTTP', align: 'right', text: ({ httpStatus }) => `${httpStatus ?? ''}` },
    { title: 'error', text: ({ error }) => shortened(error ?? '', 80) },
  ]);
  const lines = facts.flatMap(([name, text]) => (text ? [`  ${name.padEnd(12)}${oneLine(text)}`] : []));
  return [paint('bold', row.id), `  ${'status'.padEnd(12)}${paintStatus(row.status, row)}`, ...lines, ...attempts.map((line) => `  ${line}`), ''];
}
