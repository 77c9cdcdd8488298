import { mkdirSync } from 'node:fs';
import { cpus } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { removeAbandonedDirectories } from '../test/support/temporary-directory.ts';
import { measureBesideReplay } from './beside-replay.ts';
import { measureBulk } from './bulk.ts';
import { measureDeliver } from './deliver.ts';
import { measureFanOut } from './fan-out.ts';
import { measureLatency } from './latency.ts';
import type { Extent, Measurement } from './measurement.ts';
import { measureSubmit } from './submit.ts';
import { isMet, renderTable, type Figure } from './table.ts';

const measurements: Record<string, Measurement> = {
  submit: measureSubmit,
  bulk: measureBulk,
  deliver: measureDeliver,
  latency: measureLatency,
  replay: measureBesideReplay,
  fanout: measureFanOut,
};

const short: Extent = { rounds: 3, forMs: 2_000, warmUpMs: 700, backlog: 8_000, latencyMs: 4_000 };
const full: Extent = { rounds: 5, forMs: 8_000, warmUpMs: 2_000, backlog: 20_000, latencyMs: 20_000 };
/** However wrong things go, it ends. */
const limitMs = { short: 600_000, full: 1_800_000 };

const usage = `Usage: npm run bench -- [options]
  --full                 longer: more rounds, a backlog of 20,000
  --only <a,b>           of ${Object.keys(measurements).join(', ')}
  --profile <dir>        leave a CPU profile of each Formwire process there
  --json                 the figures as JSON instead of a table
`;

async function main(stopped: Promise<never>): Promise<void> {
  const { values } = parseArgs({
    options: { full: { type: 'boolean' }, only: { type: 'string' }, profile: { type: 'string' }, json: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
  });
  if (values.help) return void process.stdout.write(usage);
  const names = values.only?.split(',') ?? Object.keys(measurements);
  const extent = values.full ? full : short;
  const profileDir = values.profile && path.resolve(values.profile);
  if (profileDir) mkdirSync(profileDir, { recursive: true });
  removeAbandonedDirectories();

  const figures: Figure[] = [];
  for (const name of names) {
    const measure = measurements[name];
    if (!measure) throw new Error(`There is no measurement "${name}".\n${usage}`);
    process.stderr.write(`measuring ${name} …\n`);
    await using stack = new AsyncDisposableStack();
    figures.push(...(await Promise.race([measure({ extent, profileDir, stack }), stopped])));
  }
  process.stdout.write(values.json ? `${JSON.stringify(figures.map((figure) => ({ ...figure, isMet: isMet(figure) })), undefined, 2)}\n` : `\n${renderTable(figures)}\n${machine()}\n`);
}

/** Figures mean nothing without it. */
const machine = (): string => `Machine: ${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}, shared by everything measured and by what measures; Node.js ${process.versions.node}.`;

/** Rejects on a signal, or when it takes far too long. */
function endsEarly(): Promise<never> {
  return new Promise((_, reject) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => reject(new Error(`ended by ${signal}`)));
    const limit = process.argv.includes('--full') ? limitMs.full : limitMs.short;
    setTimeout(() => reject(new Error(`not done after ${limit / 1_000} s`)), limit).unref();
  });
}

try {
  await main(endsEarly());
  process.exit(0);
} catch (error) {
  process.stderr.write(`bench: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exit(1);
}
