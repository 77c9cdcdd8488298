import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { defineCommand } from 'citty';
import { localUrl, parseConfig, type Config } from '../config.ts';
import { createApiClient, whoAnswers, type ApiClient } from './demo/api-client.ts';
import { householdForm, householdResponses } from './demo/household.ts';
import { showProgress } from './demo/progress.ts';
import { startDemoReceiver, type DemoReceiver } from './demo/receiver.ts';
import { runProgram } from './run-program.ts';
import { startServer } from './demo/server.ts';

/** Submissions at a time: about what a fleet of tablets coming online does. */
const clients = 16;
const deliveredWithinMs = 180_000;

const demo = defineCommand({
  meta: { name: 'demo', description: 'The way of 500 responses, from mutation to a receiver that checks every signature.' },
  args: {
    fail: { type: 'string', default: '0.1', description: 'share of events the receiver fails at first, 0 to 0.9' },
  },
  run: async ({ args }) => {
    refuseUnknown(args);
    const failShare = shareOf(args.fail);
    const config = parseConfig(process.env);
    if (config.PORT === 0) throw new Error('PORT=0 takes any free port, which the demo could not find: set PORT to the one that Formwire listens on.');
    await show({ config, failShare });
  },
});

/** Rejects at the first signal, so that the demo tidies up as after any failure. */
const interrupted = new Promise<never>((_, reject) => {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => reject(new Error('stopped before its end.')));
});
interrupted.catch(() => undefined); // whoever waits for it sees it

function refuseUnknown({ _: words, fail: _fail, ...options }: { _: string[]; fail: unknown }): void {
  const [unknown] = [...Object.keys(options).map((name) => `--${name}`), ...words];
  if (unknown !== undefined) throw new Error(`The demo does not know ${unknown}; all it takes is --fail with a share, for example --fail 0.1`);
}

function shareOf(text: unknown): number {
  const share = Number(text);
  if (typeof text !== 'string' || text.trim() === '' || !(share >= 0 && share <= 0.9)) throw new Error(`--fail must be between 0 and 0.9, for example 0.1, not "${String(text)}"`);
  return share;
}

async function show(options: { config: Config; failShare: number }): Promise<void> {
  const { config, failShare } = options;
  const url = localUrl(config);
  await using stack = new AsyncDisposableStack();
  const found = await whoAnswers(url);
  if (found === 'another program') throw new Error(`What answers at ${url} is no Formwire: set PORT to another port.`);
  if (found === 'formwire') say(`Using the Formwire at ${url}.`);
  else {
    const data = config.DATABASE_URL ? 'on the database of DATABASE_URL' : `with its data in ${path.resolve(config.FORMWIRE_DATA)}`;
    say(`No Formwire at ${url}; starting one for the demo, ${data}.`);
    const server = await startServer(url, interrupted);
    stack.defer(() => server.stop());
  }
  const receiver = await startDemoReceiver({ failShare });
  stack.defer(() => receiver.close());
  const api = createApiClient({ url, connections: clients });
  stack.defer(() => api.close());

  const { formId, integrationId } = await setUp(api, receiver);
  stack.defer(() => removeIntegration(api, integrationId));
  const responses = householdResponses(formId);
  await Promise.race([showWay({ api, receiver, formId, responses }), interrupted]);
}

async function showWay(facts: { api: ApiClient; receiver: DemoReceiver; formId: string; responses: Record<string, unknown>[] }): Promise<void> {
  const { api, receiver, formId, responses } = facts;
  await submitAll(api, responses);
  await waitUntilDelivered({ api, receiver, formId, total: responses.length });
  summarize(receiver, responses.length);
}

/** Registers somebody, makes the survey, and connects the receiver to it. */
async function setUp(api: ApiClient, receiver: DemoReceiver): Promise<{ formId: string; integrationId: string }> {
  const username = `demo-${Date.now().toString(36)}`;
  const account = await api.call<{ token: string }>('mutation ($input: RegisterInput!) { register(input: $input) { token errors { message } } }', {
    username,
    email: `${username}@example.org`,
    password: crypto.randomUUID(),
    organization: 'Demo',
  });
  api.login(account.token);
  const { form } = await api.call<{ form: { id: string; title: string; questions: unknown[] } }>(
    'mutation ($input: CreateFormInput!) { createForm(input: $input) { form { id title questions { id } } errors { message } } }',
    householdForm(),
  );
  say(`Form "${form.title}" with ${form.questions.length} questions: ${form.id}`);
  const { integration, secret } = await connectReceiver(api, { formId: form.id, url: receiver.url });
  receiver.trust(secret);
  say(`Webhook to ${receiver.url}: ${integration.id}\n`);
  return { formId: form.id, integrationId: integration.id };
}

async function connectReceiver(api: ApiClient, { formId, url }: { formId: string; url: string }): Promise<{ integration: { id: string }; secret: string }> {
  try {
    return await api.call(
      'mutation ($input: CreateIntegrationInput!) { createIntegration(input: $input) { integration { id } secret errors { message } } }',
      { formId, name: 'Demo receiver', settings: { webhook: { url } } },
    );
  } catch (error) {
    if (!(error instanceof Error && error.message.includes('loopback'))) throw error;
    throw new Error('The demo receives webhooks on this machine, which this Formwire forbids: start Formwire with FORMWIRE_ALLOW_LOOPBACK=true', { cause: error });
  }
}

/** So that nothing goes on trying a receiver that is gone. A server that is gone too cannot be asked. */
async function removeIntegration(api: ApiClient, id: string): Promise<void> {
  await api
    .call('mutation ($input: DeleteIntegrationInput!) { deleteIntegration(input: $input) { integration { id } errors { message } } }', { id })
    .catch(() => undefined);
}

async function submitAll(api: ApiClient, responses: readonly Record<string, unknown>[]): Promise<void> {
  const waiting = responses.values();
  let done = 0;
  const client = async (): Promise<void> => {
    for (const response of waiting) {
      await api.call('mutation ($input: SubmitResponseInput!) { submitResponse(input: $input) { response { id } errors { message } } }', response);
      done += 1;
      showProgress('submitted', done, responses.length);
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
}

/** The receiver has everything, and the books say so too. */
async function waitUntilDelivered(facts: { api: ApiClient; receiver: DemoReceiver; formId: string; total: number }): Promise<void> {
  const { api, receiver, formId, total } = facts;
  const giveUpAt = Date.now() + deliveredWithinMs;
  for (let received = -1; received < total; await sleep(50)) {
    if (received !== receiver.counts().received) showProgress('delivered', receiver.counts().received, total);
    received = receiver.counts().received;
    if (Date.now() > giveUpAt) throw new Error(`Only ${received} of ${total} were delivered within ${deliveredWithinMs / 1_000} s.`);
  }
  for (;;) {
    const form = await api.call<{ deliveries: { edges: unknown[] } }>(
      `query { form(id: "${formId}") { deliveries(first: 1, filter: { status: PENDING }) { edges { cursor } } } }`,
    );
    if (form.deliveries.edges.length === 0) return;
    await sleep(50);
  }
}

function summarize(receiver: DemoReceiver, submitted: number): void {
  const { requests, received, verified, failedOnPurpose } = receiver.counts();
  const latencies = receiver.latenciesMs().toSorted((one, other) => one - other);
  const quantile = (share: number): string => `${latencies[Math.floor(share * (latencies.length - 1))] ?? 0} ms`;
  say('');
  for (const [label, value] of [
    ['submitted', submitted],
    ['delivered', received],
    ['verified', `${verified} of ${requests} requests had a valid signature`],
    ['attempts', `${requests}, of which ${failedOnPurpose} were failed on purpose and retried`],
    ['accepted → received', `p50 ${quantile(0.5)}, p99 ${quantile(0.99)}`],
  ]) {
    say(`${String(label).padEnd(20)} ${String(value)}`);
  }
}

function say(line: string): void {
  process.stdout.write(`  ${line}\n`);
}

await runProgram('demo', demo);
