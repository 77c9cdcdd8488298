import { agoText, countOf, countText, spanText } from '../../console/words.ts';
import { tableLines } from '../../console/table.ts';
import type { ReplayPlan } from '../../replays/plan-replay.ts';
import type { ReplayRow } from '../../replays/replay-rows.ts';

/** Of the deliveries that a replay has made, those that got through. */
export const deliveredOf = ({ made, pending, dead, canceled }: ReplayRow): number => Math.max(0, made - pending - dead - canceled);

/** What a replay would send, to whom. */
export function planLines({ events, endpoints }: ReplayPlan): string[] {
  return [
    `Of ${countOf(events, 'event')}, to be sent again:`,
    ...tableLines(endpoints, [
      { title: 'integration', text: ({ integrationId }) => integrationId },
      { title: 'deliveries', align: 'right', text: ({ count }) => countText(count) },
      { title: 'first', text: ({ first }) => first?.toISOString() ?? '–' },
      { title: 'last', text: ({ last }) => last?.toISOString() ?? '–' },
      { title: 'takes at least', align: 'right', text: ({ estimatedMs }) => spanText(estimatedMs) },
      { title: '', text: ({ reachesPeople }) => (reachesPeople ? 'only with --send-sms' : '') },
    ]),
  ];
}

/** Replays, and how far they are. */
export function replayLines(rows: readonly ReplayRow[], now: Date): string[] {
  if (rows.length === 0) return ['There is no replay.'];
  return tableLines(rows, [
    { title: 'replay', text: ({ id }) => id },
    { title: 'form', text: ({ formId }) => formId },
    { title: 'status', text: ({ status }) => status },
    { title: 'age', align: 'right', text: ({ createdAt }) => agoText(createdAt, now) },
    { title: 'mode', text: ({ task }) => task.mode },
    { title: 'total', align: 'right', text: ({ total }) => countText(total) },
    { title: 'delivered', align: 'right', text: (row) => countText(deliveredOf(row)) },
    { title: 'pending', align: 'right', text: ({ pending }) => countText(pending) },
    { title: 'dead', align: 'right', text: ({ dead }) => countText(dead) },
    { title: 'why', text: ({ reason }) => reason ?? '' },
  ]);
}
