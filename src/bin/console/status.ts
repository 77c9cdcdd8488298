import { readCompleteness, type CompletenessState } from '../../completeness/missing-rows.ts';
import { readBacklog, type Backlog } from '../../console/backlog.ts';
import { readDatabaseState, type DatabaseState } from '../../console/database-state.ts';
import { readStreamState, withStream, type StreamState } from '../../console/stream-state.ts';
import { oneLine, tableLines } from '../../console/table.ts';
import { agoText, countOf, countText, shortened, spanText } from '../../console/words.ts';
import { findInstallation, withDatabase, type Installation } from './installation.ts';
import { operatorCommand } from './operator-command.ts';
import { jsonArgument, paint, paintCount, printJson, printLines } from './print.ts';
import { processLines } from './process-lines.ts';
import { readArgument } from './read-argument.ts';
import { readReadiness, type ApiState } from './readiness.ts';

export const statusCommand = operatorCommand({
  args: {
    ...jsonArgument,
    late: { type: 'string', default: '5m', valueHint: 'duration', description: 'Age from which a pending delivery, or an event in the outbox, is late.' },
    all: { type: 'boolean', description: 'Every integration that has anything pending or dead, not the worst alone.' },
  },
  run: async ({ args, config }) => {
    const lateMs = readArgument.duration('late', args.late);
    const status = await readStatus(findInstallation(config), lateMs);
    if (args.json) printJson(status);
    else printLines(statusLines(status, { now: new Date(), lateMs, most: args.all ? Infinity : mostShown }));
    return isFine(status, lateMs) ? 'fine' : 'found';
  },
});

/** A screenful together with the processes. */
const mostShown = 12;

interface Status {
  database: DatabaseState;
  /** A sentence where NATS does not answer. */
  stream: StreamState | { trouble: string };
  api: ApiState;
  backlog: Backlog[];
  completeness: CompletenessState;
}

async function readStatus(installation: Installation, lateMs: number): Promise<Status> {
  const [[database, backlog, completeness], stream, api] = await Promise.all([
    withDatabase(installation, async (pool) => [await readDatabaseState(pool), await readBacklog(pool, { lateMs }), await readCompleteness(pool)] as const),
    readStream(installation.nats),
    readReadiness(installation.apiUrl),
  ]);
  return { database, stream, api, backlog, completeness };
}

/** The database is what most of it comes from: without NATS the rest is told all the same. */
async function readStream(nats: Installation['nats']): Promise<Status['stream']> {
  if (nats === undefined) return { trouble: 'not known here: set NATS_URL' };
  return withStream(nats, readStreamState).catch((error: unknown) => ({ trouble: error instanceof Error ? error.message : String(error) }));
}

const isLate = ({ outbox: { oldestAgeMs } }: DatabaseState, lateMs: number): boolean => oldestAgeMs !== null && oldestAgeMs > lateMs;

const isFine = ({ database, stream, backlog, completeness }: Status, lateMs: number): boolean =>
  !('trouble' in stream) && !isLate(database, lateMs) && completeness.missing === 0 && database.partitions.every(({ owner }) => owner !== null) && backlog.every(({ late, dead }) => late + dead === 0);

interface Shown {
  now: Date;
  lateMs: number;
  /** Integrations. */
  most: number;
}

function statusLines(status: Status, { now, lateMs, most }: Shown): string[] {
  return ['', ...headLines(status, { now, lateMs }), '', ...processLines(status), '', ...backlogLines(status.backlog, { now, most }), ''];
}

function headLines({ database, stream, api, backlog, completeness }: Status, { now, lateMs }: Pick<Shown, 'now' | 'lateMs'>): string[] {
  const { events, oldestAgeMs } = database.outbox;
  const oldest = spanText(oldestAgeMs ?? 0);
  const sum = (of: 'pending' | 'late' | 'dead'): number => backlog.reduce((total, one) => total + one[of], 0);
  const facts: [string, string][] = [
    ['API', api.url === undefined ? 'not known here' : `${api.url} ${api.reasons.length === 0 ? paint('green', 'ready') : paint('red', oneLine(api.reasons.join(' ')))}`],
    ['PostgreSQL', `${database.version}, ${Math.ceil(database.bytes / 2 ** 20)} MiB`],
    ['NATS', 'trouble' in stream ? paint('red', oneLine(stream.trouble)) : `${stream.version}, ${stream.stream ? countOf(stream.stream.messages, 'event') : 'no stream yet'}`],
    ['outbox', events === 0 ? 'empty' : `${countOf(events, 'event')}, the oldest ${isLate(database, lateMs) ? paint('yellow', `${oldest} old, late`) : `${oldest} old`}`],
    ['deliveries', `${countText(sum('pending'))} pending, ${marked('yellow', sum('late'), 'late')}, ${marked('red', sum('dead'), 'dead')}`],
    ['complete', `${marked('red', completeness.missing, 'missing')}, ${completeness.checkedAt ? `looked at ${agoText(completeness.checkedAt, now)} ago` : 'not looked at yet'}`],
  ];
  return facts.map(([name, text]) => `  ${paint('bold', name.padEnd(12))}${text}`);
}

const marked = (colour: 'red' | 'yellow', count: number, word: string): string => (count === 0 ? `0 ${word}` : paint(colour, `${countText(count)} ${word}`));

/** What is stored of it is no news where no dispatcher can serve it. */
const shownStatus = ({ status, notServed }: Backlog): string => (notServed === null ? status : 'not served');

function backlogLines(backlog: readonly Backlog[], { now, most }: { now: Date; most: number }): string[] {
  if (backlog.length === 0) return ['  Nothing is pending, nothing is dead.'];
  const lines = tableLines(backlog.slice(0, most), [
    { title: 'integration', text: ({ integrationId }) => integrationId },
    { title: 'name', text: ({ name }) => shortened(name, 24) },
    { title: 'provider', text: ({ provider }) => provider },
    { title: 'status', text: shownStatus, paint: (text, one) => (shownStatus(one) === 'active' ? text : paint('yellow', text)) },
    { title: 'pending', align: 'right', text: ({ pending }) => countText(pending) },
    { title: 'late', align: 'right', text: ({ late }) => countText(late), paint: paintCount('yellow') },
    { title: 'oldest', align: 'right', text: ({ oldestPendingAt }) => agoText(oldestPendingAt, now) },
    { title: 'dead', align: 'right', text: ({ dead }) => countText(dead), paint: paintCount('red') },
    { title: 'why', text: ({ statusReason, notServed }) => shortened(notServed ?? statusReason ?? '', 60) },
  ]).map((line) => `  ${line}`);
  return backlog.length > most ? [...lines, `  … and ${countOf(backlog.length - most, 'integration')} more: --all`] : lines;
}
