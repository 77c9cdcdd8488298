import path from 'node:path';
import { defineCommand } from 'citty';
import { localUrl, parseConfig, type Config } from '../config.ts';
import { createApiClient, whoAnswers, type ApiClient } from './demo/api-client.ts';
import { createDemoSheet, type DemoSheet } from './demo/google-sheet.ts';
import { householdResponses } from './demo/household.ts';
import { createDemoReceipts, type DemoReceipts } from './demo/receipts.ts';
import { startDemoReceiver, type DemoReceiver } from './demo/receiver.ts';
import { say } from './demo/say.ts';
import { startServer } from './demo/server.ts';
import { startSimulators, type Shown, type Simulators } from './demo/simulators.ts';
import { clients, submitAll } from './demo/submit.ts';
import { rowCount, summarize } from './demo/summary.ts';
import { connect, connectRules, connectWebhook, createSurvey, disconnect } from './demo/survey.ts';
import { waitAWhile, waitForArrivals, waitUntilRecorded } from './demo/wait.ts';
import { runProgram } from './run-program.ts';

const allResponses = 500;

const args = {
  fail: { type: 'string', default: '0.1', description: 'share of events the receiver fails at first, 0 to 0.9' },
  responses: { type: 'string', default: String(allResponses), description: `how many responses to submit, 1 to ${allResponses}` },
  sheets: { type: 'boolean', default: false, description: 'into a Google spreadsheet too, of a simulated Google' },
  sms: { type: 'boolean', default: false, description: 'receipts by SMS too, of a simulated Twilio' },
} as const;

const demo = defineCommand({
  meta: { name: 'demo', description: 'The way of 500 responses, from mutation to a receiver that checks every signature.' },
  args,
  run: async ({ args: given }) => {
    refuseUnknown(given);
    const failShare = numberOf({ name: '--fail', text: given.fail, least: 0, most: 0.9, example: '0.1' });
    const count = Math.floor(numberOf({ name: '--responses', text: given.responses, least: 1, most: allResponses, example: '50' }));
    const config = parseConfig(process.env);
    if (config.PORT === 0) throw new Error('PORT=0 takes any free port, which the demo could not find: set PORT to the one that Formwire listens on.');
    await show({ config, failShare, count, shown: { sheets: given.sheets, sms: given.sms } });
  },
});

/** Rejects at the first signal, so that the demo tidies up as after any failure. */
const interrupted = new Promise<never>((_, reject) => {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => reject(new Error('stopped before its end.')));
});
interrupted.catch(() => undefined); // whoever waits for it sees it

function refuseUnknown({ _: words, ...options }: { _: string[] } & Record<string, unknown>): void {
  const [unknown] = [...Object.keys(options).filter((name) => !(name in args)).map((name) => `--${name}`), ...words];
  if (unknown !== undefined) throw new Error(`The demo does not know ${unknown}; what it takes is --sheets, --sms, --fail with a share and --responses with a number, for example --fail 0.1`);
}

function numberOf({ name, text, least, most, example }: { name: string; text: unknown; least: number; most: number; example: string }): number {
  const value = Number(text);
  if (typeof text === 'string' && text.trim() !== '' && value >= least && value <= most) return value;
  throw new Error(`${name} must be between ${least} and ${most}, for example ${example}, not "${String(text)}"`);
}

interface ShowOptions {
  config: Config;
  failShare: number;
  count: number;
  shown: Shown;
}

async function show({ config, failShare, count, shown }: ShowOptions): Promise<void> {
  const url = localUrl(config);
  await using stack = new AsyncDisposableStack();
  const simulators = await prepare({ config, url, shown, stack });
  const receiver = await startDemoReceiver({ failShare });
  stack.defer(() => receiver.close());
  const api = createApiClient({ url, connections: clients });
  stack.defer(() => api.close());

  const connected = await connectAll({ api, receiver, simulators, stack });
  const responses = householdResponses(connected.formId).slice(0, count);
  await Promise.race([showWay({ ...connected, api, receiver, responses }), interrupted]);
}

/** Finds a Formwire or starts one, with simulators beside it where they are asked for. */
async function prepare(options: { config: Config; url: string; shown: Shown; stack: AsyncDisposableStack }): Promise<Simulators> {
  const { config, url, shown, stack } = options;
  const found = await whoAnswers(url);
  if (found === 'another program') throw new Error(`What answers at ${url} is no Formwire: set PORT to another port.`);
  if (found === 'formwire' && (shown.sheets || shown.sms)) {
    throw new Error(`The Formwire at ${url} runs already, and looks for Google and Twilio where it was told to at its start. Stop it, or set PORT and FORMWIRE_DATA to others: the demo then starts one that looks for the simulated ones.`);
  }
  const simulators = stack.use(await startSimulators(shown));
  if (found === 'formwire') say(`Using the Formwire at ${url}.`);
  else {
    const data = config.DATABASE_URL ? 'on the database of DATABASE_URL' : `with its data in ${path.resolve(config.FORMWIRE_DATA)}`;
    say(`No Formwire at ${url}; starting one for the demo, ${data}.`);
    const server = await startServer(url, simulators.environment(url), interrupted);
    stack.defer(() => server.stop());
  }
  return simulators;
}

interface AllConnected {
  formId: string;
  sheet: DemoSheet | undefined;
  receipts: DemoReceipts | undefined;
}

/** Registers somebody, makes the survey, and connects all there is to it, until the demo ends. */
async function connectAll(deps: { api: ApiClient; receiver: DemoReceiver; simulators: Simulators; stack: AsyncDisposableStack }): Promise<AllConnected> {
  const { api, receiver, simulators, stack } = deps;
  const { formId, title, questionCount } = await createSurvey(api);
  const keep = (what: string, { id }: { id: string }): void => {
    stack.defer(() => disconnect(api, id));
    say(`${what}: ${id}`);
  };
  say(`Form "${title}" with ${questionCount} questions: ${formId}`);
  const webhook = await connectWebhook(api, { formId, url: receiver.url });
  receiver.trust(webhook.secret ?? '');
  keep(`Webhook to ${receiver.url}`, webhook);
  keep('Rules that the numbers must keep', await connectRules(api, formId));
  const sheet = simulators.google && createDemoSheet(simulators.google);
  if (sheet) stack.defer(() => waitAWhile(sheet.isBinned)); // or the next Formwire on this data goes on trying, at the real Google
  if (sheet) keep('Google spreadsheet', await connect(api, { formId, name: 'Demo sheet', settings: sheet.settings }));
  const receipts = simulators.twilio && createDemoReceipts(simulators.twilio);
  if (receipts) keep('Receipts by SMS', await connect(api, { formId, name: 'Demo receipts', settings: receipts.settings }));
  say('');
  return { formId, sheet, receipts };
}

async function showWay(facts: AllConnected & { api: ApiClient; receiver: DemoReceiver; responses: Record<string, unknown>[] }): Promise<void> {
  const { api, receiver, formId, responses, sheet, receipts } = facts;
  const total = responses.length;
  const flagged = await submitAll(api, responses);
  await waitForArrivals({ label: 'delivered', total, count: () => receiver.counts().received });
  if (sheet) await waitForArrivals({ label: 'rows', total, count: () => rowCount(sheet) });
  if (receipts) await waitForArrivals({ label: 'messages', total: total - flagged.responses, count: () => receipts.messages().filter(({ status }) => status === 'delivered').length });
  await waitUntilRecorded(api, formId);
  summarize({ submitted: total, flagged, receiver, sheet, receipts });
}

await runProgram('demo', demo);
