import { openPipeline, type Step } from '../../src/bin/compose.ts';
import { parseConfig } from '../../src/config.ts';
import { silentLog } from '../../src/log.ts';
import { pause } from '../../src/run.ts';
import { householdInputs } from './household-inputs.ts';
import { testSealer } from './sealer.ts';

/** What a child process is to do; given to it as JSON on its command line. */
export interface ChildOrders {
  databaseUrl: string;
  natsUrl: string;
  settings: Record<string, string>;
  /** Household responses to submit; the client ids are the prefix and a number, from `first` (0) on. Who is to die submits more until it does. */
  submit?: { formId: string; count: number; prefix: string; first?: number; ownMobiles?: boolean };
  /** The `count`-th time this step is told, the process kills itself. */
  dieAt?: { step: Step; count: number };
}

/** A line of a child's output. */
export type ChildReport = { kind: 'ready' } | { kind: 'answered'; clientId: string; id: string } | { kind: 'submitted' };

/** Writes to a pipe are synchronous on Linux: what is reported before a kill arrives. */
const report = (line: ChildReport): void => void process.stdout.write(`${JSON.stringify(line)}\n`);

function countdown(dieAt: ChildOrders['dieAt']): (step: Step) => void {
  let left = dieAt?.count ?? Infinity;
  return (step) => {
    if (step !== dieAt?.step) return;
    left -= 1;
    if (left === 0) process.kill(process.pid, 'SIGKILL');
  };
}

/** A process of the product, as far as a response's way goes: runs until it is ended, or ends itself. */
async function main(orders: ChildOrders): Promise<void> {
  const { databaseUrl, natsUrl, settings, submit, dieAt } = orders;
  const stopping = new AbortController();
  process.once('SIGTERM', () => stopping.abort());
  const pipeline = openPipeline({
    config: parseConfig(settings),
    databaseUrl,
    natsUrl,
    sealer: testSealer,
    allowLoopback: true,
    log: silentLog,
    onStep: countdown(dieAt),
  });
  const running = Promise.all(pipeline.runnables.map((runnable) => runnable.run(stopping.signal)));
  report({ kind: 'ready' });
  const submitRound = async (inputs: ReturnType<typeof householdInputs>): Promise<void> => {
    await Promise.all(
      inputs.map(async (input) => {
        const { id } = await pipeline.submitter.submit(input);
        report({ kind: 'answered', clientId: input.clientId, id });
      }),
    );
  };
  if (submit) {
    while ((await pipeline.readiness()).reasons.length > 0) await pause(20, stopping.signal);
    for (let round = 0; round === 0 || dieAt; round += 1) {
      await submitRound(householdInputs({ ...submit, first: (submit.first ?? 0) + round * submit.count }));
      await pause(200, stopping.signal);
    }
    report({ kind: 'submitted' });
  }
  const keepAlive = setInterval(() => undefined, 60_000);
  await running;
  clearInterval(keepAlive);
  await pipeline.close();
}

const [orders] = process.argv.slice(2);
if (orders) await main(JSON.parse(orders) as ChildOrders);
