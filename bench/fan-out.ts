import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { createApiClient } from '../src/bin/demo/api-client.ts';
import { householdForm, householdResponses } from '../src/bin/demo/household.ts';
import { newId } from '../src/events/id.ts';
import { startFormwire, waitUntilDispatched } from './formwire.ts';
import type { MeasurementOptions } from './measurement.ts';
import { median, range } from './rounds.ts';
import type { Figure } from './table.ts';
import { startWorker, type Worker } from './workers.ts';
import { openWorld } from './world.ts';

const subscribers = 1_000;
/** Of one burst. */
const events = 100;
/** Told one by one, each when everybody has the one before. */
const singles = 25;
const toldWithinMs = 60_000;
const ticksPerSecond = 100;

const query = 'subscription ($formId: ID!) { responseCreated(formId: $formId) { cursor event { id type } response { id submittedAt answers { text question { key } } } } }';

/** What a burst took until everybody had all of it. */
interface Burst {
  perSecond: number;
  /** Of the serving process, for one event to one subscriber. */
  cpuMicros: number;
}

/** A burst of responses told to a thousand subscribers of their form, beside the same of Yoga's own pub/sub. */
export async function measureFanOut({ extent, profileDir, stack }: MeasurementOptions): Promise<Figure[]> {
  const world = stack.use(await openWorld());
  const databaseUrl = await world.createDatabase('measured');
  const formwire = stack.use(await startFormwire({ databaseUrl, natsUrl: world.natsUrl, profileDir }));
  const api = createApiClient({ url: formwire.url.replace('/graphql', ''), connections: 4 });
  stack.defer(() => api.close());
  const { token } = await api.call<{ token: string }>('mutation ($input: RegisterInput!) { register(input: $input) { token errors { message } } }', {
    username: 'bench', email: 'bench@example.org', password: 'correct horse battery',
  });
  api.login(token);
  const { form } = await api.call<{ form: { id: string } }>('mutation ($input: CreateFormInput!) { createForm(input: $input) { form { id } errors { message } } }', householdForm());
  const body = JSON.stringify({ query, variables: { formId: form.id } });

  const ours = worker(stack, 'subscribers');
  const idleBefore = rssKib(formwire.pid);
  await ours.ask('open', { url: formwire.url, body, authorization: `Bearer ${token}`, count: subscribers });
  await sleep(1_000);
  const idleKib = (rssKib(formwire.pid) - idleBefore) / subscribers;
  const responses = householdResponses(form.id).slice(0, events);
  const submit = (some: readonly object[]) => (): Promise<unknown> =>
    api.call('mutation ($input: SubmitResponsesInput!) { submitResponses(input: $input) { results { errors { code } } errors { message } } }', {
      responses: some.map((response) => ({ ...response, clientId: newId('evt') })),
    });

  const [yoga, theirs] = [worker(stack, 'yoga-fan-out'), worker(stack, 'subscribers')];
  const url = await yoga.ask<string>('listen');
  await theirs.ask('open', { url, body, authorization: undefined, count: subscribers });
  const payloads = responses.map(payloadOf);
  const publish = (some: readonly unknown[]) => () => yoga.ask('publish', { formId: form.id, events: some });

  const [bursts, baselines]: [Burst[], Burst[]] = [[], []];
  const [own, yogas] = [{ pid: formwire.pid, told: ours }, { pid: yoga.pid, told: theirs }];
  await burst({ ...own, count: events, send: submit(responses) }); // compiles
  await burst({ ...yogas, count: events, send: publish(payloads) });
  const [alone, alonesOfYoga]: [number[], number[]] = [[], []];
  for (let round = 0; round < extent.rounds; round += 1) {
    await waitUntilDispatched(databaseUrl, toldWithinMs);
    bursts.push(await burst({ ...own, count: events, send: submit(responses) }));
    baselines.push(await burst({ ...yogas, count: events, send: publish(payloads) }));
    alone.push(await oneByOne(own, responses.map((response) => submit([response]))));
    alonesOfYoga.push(await oneByOne(yogas, payloads.map((payload) => publish([payload]))));
  }
  const [value, baseline] = [bursts, baselines].map((all) => median(all.map(({ perSecond }) => perSecond)));
  const [cpu, yogaCpu] = [bursts, baselines].map((all) => median(all.map(({ cpuMicros }) => cpuMicros)));
  return [
    {
      name: 'fan out',
      unit: 'deliveries/s',
      value: value ?? 0,
      baseline,
      goal: { kind: 'ratio', limit: 5 },
      peakRssMib: formwire.peakRssMib(),
      note:
        `fan out: bursts of ${events} responses, each told to ${subscribers.toLocaleString('en')} subscribers of their form over server-sent events, from the submission until all have all. CPU of the serving process for a `
        + `delivery: ${cpu?.toFixed(1)} µs, with taking the responses in and dispatching them. Baseline: Yoga with its own pub/sub, and nothing behind it: ${yogaCpu?.toFixed(1)} µs. An idle subscriber holds ${idleKib.toFixed(0)} KiB. `
        + `Ratios of the rounds: ${range(bursts.map(({ perSecond }, round) => perSecond / (baselines[round]?.perSecond ?? perSecond)))}.`,
    },
    {
      name: 'fan out, one by one',
      unit: 'deliveries/CPU s',
      value: 1e6 / median(alone),
      baseline: 1e6 / median(alonesOfYoga),
      goal: { kind: 'ratio', limit: 5 },
      peakRssMib: undefined,
      note: `fan out, one by one: each response only when all have the one before, so that nothing gathers. CPU of the serving process for a delivery: ${median(alone).toFixed(1)} µs, and Yoga's ${median(alonesOfYoga).toFixed(1)} µs.`,
    },
  ];
}

/** Microseconds of CPU for a delivery. */
async function oneByOne(of: { pid: number; told: Worker }, sends: readonly (() => Promise<unknown>)[]): Promise<number> {
  const before = cpuSeconds(of.pid);
  for (const send of sends.slice(0, singles)) await burst({ ...of, count: 1, send });
  return ((cpuSeconds(of.pid) - before) / (singles * subscribers)) * 1e6;
}

function worker(stack: AsyncDisposableStack, name: string): Worker {
  const started = startWorker(name);
  stack.defer(() => started.stop());
  return started;
}

async function burst({ pid, told, count, send }: { pid: number; told: Worker; count: number; send: () => Promise<unknown> }): Promise<Burst> {
  await told.ask('reset');
  const cpuBefore = cpuSeconds(pid);
  const begunAt = performance.timeOrigin + performance.now();
  await send();
  for (const giveUpAt = Date.now() + toldWithinMs; Date.now() < giveUpAt; await sleep(20)) {
    const seen = await told.ask<{ told: number; lastAt: number }>('told');
    const deliveries = count * subscribers;
    if (seen.told < deliveries) continue;
    return { perSecond: (deliveries / (seen.lastAt - begunAt)) * 1_000, cpuMicros: ((cpuSeconds(pid) - cpuBefore) / deliveries) * 1e6 };
  }
  throw new Error(`Not everybody was told within ${toldWithinMs / 1_000} s.`);
}

/** User and system time. Source: proc(5), `/proc/[pid]/stat`; names may have spaces, and end with a bracket. */
function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

const rssKib = (pid: number): number => Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);

/** As long as what Formwire tells of the same response. */
function payloadOf(input: Record<string, unknown>): unknown {
  const answers = input['answers'] as { key?: string; question?: string; value: unknown }[];
  return {
    cursor: 'QDEwMDAwMDA', event: { id: newId('evt'), type: 'RESPONSE_CREATED' },
    response: {
      id: newId('resp'), submittedAt: new Date().toISOString(),
      answers: answers.map(({ key, question, value }) => ({ text: String(value), question: { key: key ?? question ?? '' } })),
    },
  };
}
