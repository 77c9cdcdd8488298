import type { DemoReceipts } from './receipts.ts';
import type { DemoReceiver } from './receiver.ts';
import type { DemoSheet } from './google-sheet.ts';
import { say } from './say.ts';
import type { Flagged } from './submit.ts';
import { tableLines } from './table.ts';

const shownRows = 4;
const shownFlagged = 2;
const shownMessages = 5;
const cellWidth = 24;
/** A terminal is not as wide as a survey. */
const shownColumns = ['What is your name?', 'Which city do you live in?', 'what is the monthly income?', 'what is the monthly savings?', 'what is the monthly expenditure?', 'Flags'];
const messageWidth = 100;

export interface Result {
  submitted: number;
  flagged: Flagged;
  receiver: DemoReceiver;
  sheet: DemoSheet | undefined;
  receipts: DemoReceipts | undefined;
}

/** What there is to see afterwards, and the counts. */
export function summarize(result: Result): void {
  const { sheet, receipts } = result;
  if (sheet) showSheet(sheet);
  if (receipts) showMessages(receipts);
  say('');
  for (const [label, value] of countsOf(result)) say(`${label.padEnd(20)} ${value}`);
}

function showSheet(sheet: DemoSheet): void {
  say('');
  say(`The sheet's first rows, and some that are flagged. It is shared with ${sheet.sharedWith().join(', ')}.`);
  say('');
  const [header = [], ...rows] = sheet.rows();
  const places = shownColumns.map((title) => header.indexOf(title)).filter((place) => place >= 0);
  const flagged = rows.filter((row) => (row[header.indexOf('Flags')] ?? null) !== null);
  const shown = new Set([header, ...rows.slice(0, shownRows), ...flagged.slice(0, shownFlagged)]);
  for (const line of tableLines([...shown].map((row) => places.map((place) => row[place] ?? null)), cellWidth)) say(line);
}

function showMessages(receipts: DemoReceipts): void {
  say('');
  say('Some of the messages.');
  say('');
  const rows = receipts.messages().slice(0, shownMessages).map(({ to, status, body }) => [to, status, body]);
  for (const line of tableLines(rows, messageWidth)) say(line);
}

function countsOf({ submitted, flagged, receiver, sheet, receipts }: Result): [label: string, value: string][] {
  const { requests, received, verified, failedOnPurpose } = receiver.counts();
  const latencies = receiver.latenciesMs().toSorted((one, other) => one - other);
  const quantile = (share: number): string => `${latencies[Math.floor(share * (latencies.length - 1))] ?? 0} ms`;
  const rules = [...flagged.byRule].sort(([, one], [, other]) => other - one).map(([rule, count]) => `${count} by ${rule}`);
  return [
    ['submitted', String(submitted)],
    ['flagged', [String(flagged.responses), rules.join(', ')].filter((part) => part !== '').join(': ')],
    ['delivered', String(received)],
    ['verified', `${verified} of ${requests} requests had a valid signature`],
    ['attempts', `${requests}, of which ${failedOnPurpose} were failed on purpose and retried`],
    ['accepted → received', `p50 ${quantile(0.5)}, p99 ${quantile(0.99)}`],
    ...(sheet ? [['rows', String(rowCount(sheet))] satisfies [string, string]] : []),
    ...(receipts ? [['messages', messageCounts(receipts)] satisfies [string, string]] : []),
  ];
}

/** Without the header. */
export const rowCount = (sheet: DemoSheet): number => Math.max(0, sheet.rows().length - 1);

function messageCounts(receipts: DemoReceipts): string {
  const messages = receipts.messages();
  const byStatus = Map.groupBy(messages, ({ status }) => status);
  const statuses = [...byStatus].map(([status, those]) => `${those.length} ${status}`).join(', ');
  return `${messages.length} to ${new Set(messages.map(({ to }) => to)).size} numbers: ${statuses}`;
}
