import type { Pool } from 'pg';
import { countDeliveries, type DeliveryFilter } from '../../deliveries/delivery-rows.ts';
import { maxRedeliveredByIds, redeliverByFilter, redeliverByIds } from '../../deliveries/redeliver.ts';
import type { Id } from '../../events/id.ts';
import { countText } from '../../console/words.ts';
import { noProgress, openProgress } from '../demo/progress.ts';
import { WrongUse } from '../exit-codes.ts';
import { requireDelivery } from './deliveries.ts';
import { deliveryArguments, readDeliveryArguments, readStatus } from './delivery-arguments.ts';
import { findInstallation, withDatabase } from './installation.ts';
import { auditLog, operatorName } from './operator.ts';
import { operatorCommand } from './operator-command.ts';
import { jsonArgument, printJson, printLines } from './print.ts';
import { requireThere } from './require-there.ts';

const reach = { kind: 'installation' } as const;
const by = { by: 'operator', userId: null } as const;

export const redeliverCommand = operatorCommand({
  args: {
    ...jsonArgument,
    ...deliveryArguments,
    status: { type: 'string', default: 'dead', valueHint: 'status', description: 'dead or pending.' },
    everything: { type: 'boolean', description: 'All that is dead (or pending) anywhere, without another option.' },
  },
  takesWords: true,
  run: async ({ args, words, config }) => {
    const status = readStatus(args.status);
    const { formId, filter } = readDeliveryArguments(args, status);
    const ids = [...new Set(words)].map(requireDelivery);
    const isChosen = formId !== undefined || Object.entries(filter).some(([name, value]) => name !== 'status' && value !== undefined);
    if (status !== 'dead' && status !== 'pending') throw new WrongUse('--status is dead or pending: what was delivered is sent again one by one, by its id.');
    if (ids.length > maxRedeliveredByIds) throw new WrongUse(`At most ${maxRedeliveredByIds} can be named at once.`);
    if ([ids.length > 0, isChosen, args.everything === true].filter(Boolean).length !== 1) throw new WrongUse('Name deliveries, or choose them by options, or say --everything.');
    return withDatabase(findInstallation(config), async (pool) => {
      if (ids.length > 0) return redeliverNamed(pool, { ids, json: args.json });
      await requireThere(pool, { formId, integrationId: filter.integrationId });
      const count = await redeliverChosen(pool, { formId, filter, showsProgress: !args.json });
      if (count > 0) audit({ redelivered: count, formId, ...filter });
      if (args.json) printJson({ redelivered: count });
      else printLines([`${countText(count)} sent again.`]);
      return 'fine';
    });
  },
});

/** A delivery tells that an operator has sent it again, and this who that was. */
const audit = (facts: object): void => auditLog().info({ ...facts, operator: operatorName() }, 'operator.redelivered');

async function redeliverNamed(pool: Pool, { ids, json }: { ids: readonly Id<'dlv'>[]; json: boolean | undefined }): Promise<'fine' | 'failed'> {
  const { formIds: _, ...result } = await redeliverByIds(pool, { reach, ids, by });
  if (result.redelivered.length > 0) audit({ deliveryIds: result.redelivered });
  const told = new Set<string>(Object.values(result).flat());
  const unknown = ids.filter((id) => !told.has(id));
  if (json) printJson({ ...result, unknown });
  else {
    printLines([
      `${countText(result.redelivered.length)} sent again.`,
      ...result.withoutIntegration.map((id) => `${id}: its integration was deleted.`),
      ...result.withoutResponse.map((id) => `${id}: its response was erased.`),
      ...unknown.map((id) => `${id}: there is none.`),
    ]);
  }
  return result.redelivered.length === ids.length ? 'fine' : 'failed';
}

/** Thousands at a time, in their order, each of those that were there at the beginning once. */
async function redeliverChosen(pool: Pool, chosen: { formId: Id<'form'> | undefined; filter: DeliveryFilter; showsProgress: boolean }): Promise<number> {
  const { formId, showsProgress } = chosen;
  // what is recorded meanwhile is not for this call
  const filter = { ...chosen.filter, until: chosen.filter.until ?? new Date() };
  const total = await countDeliveries(pool, { reach, formId, filter });
  using bar = showsProgress ? openProgress('sent again') : noProgress;
  let done = 0;
  let after: Id<'dlv'> | undefined;
  for (let hasMore = total > 0; hasMore; ) {
    const batch = await redeliverByFilter(pool, { reach, filter: { ...filter, formId }, after, by });
    done += batch.redelivered.length;
    after = batch.redelivered.at(-1);
    hasMore = batch.hasMore;
    bar.show(done, Math.max(done, total));
  }
  return done;
}
