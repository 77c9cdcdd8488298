import type { CompletenessState } from '../../completeness/missing-rows.ts';
import type { DatabaseState } from '../database-state.ts';
import { countOf, rangesText, spanText } from '../words.ts';
import { doubtful, sound, wrong, type Finding } from './finding.ts';

const oldOutboxMs = 60_000;

/** Whether somebody does the work, and keeps up with it. */
export function checkWork({ dispatchers, partitions, outbox }: Pick<DatabaseState, 'dispatchers' | 'partitions' | 'outbox'>, completeness: CompletenessState): Finding[] {
  const ownerless = partitions.filter(({ owner }) => owner === null).map(({ partition }) => partition);
  const isBehind = (outbox.oldestAgeMs ?? 0) > oldOutboxMs;
  return [
    dispatchers.length === 0
      ? wrong('dispatchers', 'none is alive', 'Start a process with the role dispatcher: nothing is delivered, and nothing is lost meanwhile.')
      : sound('dispatchers', `${dispatchers.length} alive`),
    ownerless.length > 0 && dispatchers.length > 0
      ? doubtful('partitions', `nobody owns ${rangesText(ownerless)}`, 'Look again in some seconds: partitions change hands when a dispatcher comes or goes.')
      : sound('partitions', ownerless.length > 0 ? 'wait for a dispatcher' : `all ${partitions.length} are owned`),
    isBehind
      ? doubtful('outbox', `${countOf(outbox.events, 'event')}, the oldest ${spanText(outbox.oldestAgeMs ?? 0)} old`, 'See that a process with the role relay runs, that NATS is reached, and what formwire status says of the integrations.')
      : sound('outbox', countOf(outbox.events, 'event')),
    completeness.missing > 0
      ? wrong('completeness', `${countOf(completeness.missing, 'delivery').replace('deliverys', 'deliveries')} missing`, 'Run: formwire reconcile --repair, and find out what was done to the database.')
      : sound('completeness', 'nothing is missing'),
  ];
}
