import type { DatabaseState } from '../../console/database-state.ts';
import type { StreamState } from '../../console/stream-state.ts';
import { tableLines } from '../../console/table.ts';
import { countText, rangesText, shortened, spanText } from '../../console/words.ts';
import type { Id } from '../../events/id.ts';
import type { ProcessRow } from '../../processes/process-rows.ts';
import { paint } from './print.ts';

interface Line {
  process: ProcessRow | undefined;
  /** Whose partitions they are; null: nobody's. */
  owner: Id<'dsp'> | null;
  partitions: readonly number[];
}

/** One line for each process with what it does, and one for partitions that no known process has, or nobody. */
export function processLines({ database, stream }: { database: DatabaseState; stream: StreamState | { trouble: string } }): string[] {
  const places = new Map('trouble' in stream ? [] : stream.partitions.map((one) => [one.partition, one]));
  const sum = (partitions: readonly number[], of: 'lag' | 'inHand'): string => {
    if (partitions.length === 0) return '';
    return 'trouble' in stream ? '?' : countText(partitions.reduce((total, partition) => total + (places.get(partition)?.[of] ?? 0), 0));
  };
  const lines = linesOf(database);
  if (lines.length === 0) return [`  ${paint('red', 'No process is alive, and none was yet.')}`];
  return tableLines(lines, [
    { title: 'process', text: ({ process, owner }) => (process ? `${process.host}:${process.pid}` : (owner ?? 'nobody')), paint: (text, { process, owner }) => (process || owner ? text : paint('red', text)) },
    { title: 'roles', text: ({ process }) => process?.roles.join(', ') ?? '' },
    { title: 'version', text: ({ process }) => process?.version ?? '' },
    { title: 'partitions', text: ({ partitions }) => rangesText(partitions) },
    { title: 'lag', align: 'right', text: ({ partitions }) => sum(partitions, 'lag') },
    { title: 'in hand', align: 'right', text: ({ partitions }) => sum(partitions, 'inHand') },
    { title: 'seen', align: 'right', text: ({ process }) => (process ? `${spanText(process.seenMsAgo)} ago` : '') },
    { title: '', text: ({ process }) => (process ? stateText(process) : ''), paint: (text, { process }) => paint(process ? colourOf(process) : 'gray', text) },
  ]).map((line) => `  ${line}`);
}

function linesOf({ processes, partitions }: DatabaseState): Line[] {
  const owned = Map.groupBy(partitions, ({ owner }) => owner);
  const numbersOf = (owner: Id<'dsp'> | null): number[] => (owned.get(owner) ?? []).map(({ partition }) => partition);
  const known = new Set(processes.map(({ dispatcherId }) => dispatcherId).filter((id) => id !== null));
  return [
    ...processes.map((process) => ({ process, owner: process.dispatcherId, partitions: process.dispatcherId === null ? [] : numbersOf(process.dispatcherId) })),
    ...[...owned.keys()].filter((owner) => owner === null || !known.has(owner)).map((owner) => ({ process: undefined, owner, partitions: numbersOf(owner) })),
  ];
}

function stateText({ isAlive, reasons }: ProcessRow): string {
  if (!isAlive) return 'gone, without a goodbye';
  return reasons.length === 0 ? 'ready' : shortened(reasons.join(' '), 60);
}

function colourOf({ isAlive, reasons }: ProcessRow): 'red' | 'green' | 'yellow' {
  if (!isAlive) return 'red';
  return reasons.length === 0 ? 'green' : 'yellow';
}
