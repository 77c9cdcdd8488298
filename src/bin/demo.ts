import { setTimeout as sleep } from 'node:timers/promises';
import { defineCommand, runMain } from 'citty';
import { parseConfig } from '../config.ts';
import { createApiClient, isRunning, type ApiClient } from './demo/api-client.ts';
import { householdForm, householdResponses } from './demo/household.ts';
import { showProgress } from './demo/progress.ts';
import { startDemoReceiver, type DemoReceiver } from './demo/receiver.ts';
import { startServer } from './demo/server.ts';

/** Submissions at a time: about what a fleet of tablets coming online does. */
const clients = 16;
const deliveredWithinMs = 180_000;

const demo = defineCommand({
  meta: { name: 'demo', description: 'The way of 500 responses, from mutation to a receiver that checks every signature.' },
  args: {
    fail: { type: 'string', default: '0.1', description: 'share of events the receiver fails at first, 0 to 1' },
  },
  run: async ({ args }) => {
    const failShare = Number(args.fail);
    if (!(failShare >= 0 && failShare <= 1)) throw new Error('--fail is a share between 0 and 1, for example 0.1');
    const { HOST, PORT } = parseConfig(process.env);
    await show({ url: `http://${HOST}:${PORT}`, failShare });
  },
});

async function show(options: { url: string; failShare: number }): Promise<void> {
  const { url, failShare } = options;
  await using stack = new AsyncDisposableStack();
  if (await isRunning(url)) say(`Using the Formwire at ${url}.`);
  else {
    say(`No Formwire at ${url}; starting one for the demo.`);
    const server = await startServer(url);
    stack.defer(() => server.stop());
  }
  const receiver = await startDemoReceiver({ failShare });
  stack.defer(() => receiver.close());
  const api = createApiClient({ url, connections: clients });
  stack.defer(() => api.close());

  const formId = await setUp(api, receiver);
  const responses = householdResponses(formId);
  await submitAll(api, responses);
  await waitUntilDelivered({ api, receiver, formId, total: responses.length });
  summarize(receiver, responses.length);
}

/** Registers somebody, makes the survey, and connects the receiver to it. Answers the form's id. */
async function setUp(api: ApiClient, receiver: DemoReceiver): Promise<string> {
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
  const { integration, secret } = await api.call<{ integration: { id: string }; secret: string }>(
    'mutation ($input: CreateIntegrationInput!) { createIntegration(input: $input) { integration { id } secret errors { message } } }',
    { formId: form.id, name: 'Demo receiver', settings: { webhook: { url: receiver.url } } },
  );
  receiver.trust(secret);
  say(`Webhook to ${receiver.url}: ${integration.id}\n`);
  return form.id;
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

await runMain(demo);
