import type { Pool } from 'pg';
import { expect } from 'vitest';
import { createDemoSheet, type DemoSheet } from '../../src/bin/demo/google-sheet.ts';
import { connect, connectRules, createSurvey } from '../../src/bin/demo/survey.ts';
import { startChildPipeline, type ChildPipeline } from './crash.ts';
import { googleErrors, replyOf } from './google/errors.ts';
import { startGoogle, type GoogleSimulator } from './google/google.ts';
import { householdInputs } from './household-inputs.ts';
import { expectReceipts, expectSheet, readStored } from './outside-truth.ts';
import { startProduct, type TestProduct } from './product.ts';
import { createRandom, type Outcome } from './simulators/faults.ts';
import type { LoggedRequest } from './simulators/server.ts';
import { replyOfTwilio, TwilioError } from './twilio/errors.ts';
import { startTwilio, type TwilioSimulator } from './twilio/twilio.ts';

export interface OutsideCrashes {
  responses: number;
  /** How often the process is killed. */
  deaths: number;
  unknownOutcome: 'AT_MOST_ONCE' | 'AT_LEAST_ONCE';
  seed: number;
}

/** A form with rules, a sheet and receipts; another process than the one that dies has the API. */
interface World {
  product: TestProduct;
  google: GoogleSimulator;
  twilio: TwilioSimulator;
  sheet: DemoSheet;
  formId: string;
  smsId: string;
  random: () => number;
  /** The client ids of responses that were answered to. */
  answered: Set<string>;
  /** The numbers of respondents whose message may or may not have been taken. */
  interrupted: Set<string>;
}

const prefix = 'crash-';
const settings = { FORMWIRE_LEASE: '2s', FORMWIRE_SWEEP_AFTER: '500ms' };
/** Of each service's requests. */
const faultShare = 0.1;

/**
 * A process takes household responses, writes them into a sheet and sends receipts, and is killed again and again, mostly
 * in the middle of a call, while Google and Twilio fail now and then, before or after what they were asked took effect.
 * The last process finishes. Afterwards the sheet has a row for each response, in the right columns, and no number got
 * two messages, unless nobody could know about the first and the owner chose to send again.
 */
export async function sheetAndReceiptsSurvive(options: OutsideCrashes): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const world = await openWorld(options, stack);
  const inputs = householdInputs({ formId: world.formId, count: options.responses, prefix, ownMobiles: true });
  failNowAndThen(world);
  const share = options.responses / options.deaths;
  for (let death = 1; death <= options.deaths; death += 1) {
    await using child = startLife(world, Math.round(death * share));
    const place = death % 2 === 1 ? { service: world.google, within: 1 } : { service: world.twilio, within: share / 2 };
    await dieSomewhere(world, { child, ...place });
    for (const clientId of child.answered.keys()) world.answered.add(clientId);
  }
  world.google.faults.clear();
  world.twilio.faults.clear();
  {
    await using _last = startLife(world, options.responses);
    await finish(world, options.responses);
  }
  const stored = await readStored(world.product.pipeline.pool, world);
  expect(stored.map(({ clientId }) => clientId).toSorted()).toEqual(inputs.map(({ clientId }) => clientId).toSorted());
  expectSheet(world.sheet.rows(), { stored, inputs });
  expectReceipts({ ...world, stored, inputs }, options.unknownOutcome);
}

async function openWorld({ unknownOutcome, seed }: OutsideCrashes, stack: AsyncDisposableStack): Promise<World> {
  const google = stack.use(await startGoogle({ listDelayMs: 200 }));
  const twilio = stack.use(await startTwilio({ listDelayMs: 200, callbacks: { order: 'shuffled', times: 2 }, seed }));
  const product = stack.use(await startProduct({ FORMWIRE_ROLES: 'api' }));
  stack.use(twilio.run(50));
  const { formId } = await createSurvey(product.api);
  await connectRules(product.api, formId);
  const sheet = createDemoSheet(google);
  await connect(product.api, { formId, name: 'Sheet', settings: sheet.settings });
  const [from] = twilio.account.numbers;
  const { sid: accountSid, authToken } = twilio.account;
  const sms = { accountSid, authToken, from, unknownOutcome, template: 'Thank you, {{ name }}. {{ response.id }}' };
  const { id: smsId } = await connect(product.api, { formId, name: 'Receipts', settings: { sms } });
  return { product, google, twilio, sheet, formId, smsId, random: createRandom(seed), answered: new Set(), interrupted: new Set() };
}

/** A process that submits the first `count` responses, but for those in front that were answered to. */
function startLife({ product, google, twilio, formId, answered }: World, count: number): ChildPipeline {
  let first = 0;
  while (answered.has(`${prefix}${first}`)) first += 1;
  return startChildPipeline({
    databaseUrl: product.databaseUrl,
    natsUrl: product.nats.url,
    settings: { ...settings, FORMWIRE_OUTSIDE_URLS: `google=${google.url},twilio=${twilio.url}`, FORMWIRE_PUBLIC_URL: product.url },
    submit: { formId, first, count: Math.max(count - first, 0), prefix, ownMobiles: true },
  });
}

const googleFaults: Outcome[] = [
  { kind: 'drop', applied: true },
  { kind: 'drop', applied: false },
  { kind: 'truncated' },
  { kind: 'reply', reply: replyOf(googleErrors.backendError(), 'sheets'), applied: true },
  { kind: 'reply', reply: replyOf(googleErrors.backendError(), 'sheets') },
  { kind: 'reply', reply: replyOf(googleErrors.rateLimitExceeded(undefined, 1), 'sheets') },
];
const twilioFaults: Outcome[] = [
  { kind: 'drop', applied: true },
  { kind: 'drop', applied: false },
  { kind: 'malformed' },
  { kind: 'reply', reply: replyOfTwilio(new TwilioError(20503)), applied: true },
  { kind: 'reply', reply: replyOfTwilio(new TwilioError(20500)) },
  { kind: 'reply', reply: replyOfTwilio(new TwilioError(20429), { 'retry-after': '1' }) },
];

function failNowAndThen({ google, twilio, random, interrupted }: World): void {
  for (const outcome of googleFaults) google.faults.add({ when: () => random() < faultShare / googleFaults.length, times: Infinity, outcome });
  for (const outcome of twilioFaults) {
    const strikes = (request: LoggedRequest): boolean => {
      if (random() >= faultShare / twilioFaults.length) return false;
      noteInterrupted(interrupted, request);
      return true;
    };
    twilio.faults.add({ when: strikes, times: Infinity, outcome });
  }
}

function noteInterrupted(interrupted: Set<string>, { operation, body }: LoggedRequest): void {
  const to = new URLSearchParams(body.toString()).get('To');
  if (operation === 'messages.create' && to !== null) interrupted.add(to);
}

/** Much later than any of its moments comes. */
const latestMs = 15_000;
/** What was asked for so shortly before a death may have lost its answer with it. */
const lostMs = 2_000;

/** Writes of rows, and new messages: what must not happen twice. */
const isEffect = ({ operation, body }: LoggedRequest): boolean => operation === 'messages.create' || (operation === 'sheets.batchUpdate' && body.includes('"resp_'));

interface Death {
  child: ChildPipeline;
  service: GoogleSimulator | TwilioSimulator;
  /** At one of so many of the next requests that have an effect; which of them is a matter of chance. */
  within: number;
}

/** Kills a process in the middle of a call, before it has its effect or, mostly, after. */
async function dieSomewhere({ twilio, random, interrupted }: World, { child, service, within }: Death): Promise<void> {
  await child.ready;
  let left = 1 + Math.floor(random() * within);
  const isTheMoment = (request: LoggedRequest): boolean => {
    if (isEffect(request)) left -= 1;
    if (left !== 0) return false;
    child.signal('SIGKILL');
    return true;
  };
  using _moment = service.faults.add({ when: isTheMoment, outcome: { kind: 'drop', applied: random() < 0.7 } });
  const tooLate = setTimeout(() => child.signal('SIGKILL'), latestMs);
  expect(await child.ended).toBe('SIGKILL');
  clearTimeout(tooLate);
  const since = Date.now() - lostMs;
  for (const request of twilio.requests) if (request.receivedAt.getTime() > since) noteInterrupted(interrupted, request);
}

/** Until nothing is left to do; what waits only for time to pass need not. */
async function finish({ product, twilio }: World, responses: number): Promise<void> {
  const { pool } = product.pipeline;
  for (;;) {
    await expect.poll(() => countBusy(pool), { timeout: 120_000, interval: 100, message: 'deliveries that are pending, and not for the time alone' }).toEqual({ responses, busy: 0 });
    const { rowCount } = await pool.query(`update deliveries set next_attempt_at = next_attempt_at - interval '3 minutes' where status = 'pending'`);
    if (rowCount === 0) return;
    await letTimePass(pool, twilio);
  }
}

/** `busy`: what is on its way, or pending for another reason than that Twilio's list may still show a message. */
async function countBusy(pool: Pool): Promise<{ responses: number; busy: number }> {
  const { rows } = await pool.query<{ responses: number; busy: number }>(
    `select (select count(*)::int from responses) as responses,
            (select count(*)::int from outbox) + (select count(*)::int from deliveries where status = 'pending' and (reason is null or reason not like '%list does not show it so far%')) as busy`,
  );
  return rows[0] ?? { responses: 0, busy: 0 };
}

/** All that is known of messages becomes three minutes older, here and there, so that waiting takes no time. */
async function letTimePass(pool: Pool, { messages }: TwilioSimulator): Promise<void> {
  for (const message of messages) message.createdAt = new Date(message.createdAt.getTime() - 180_000);
  await pool.query(
    `update ledger set state = jsonb_set(state, '{at}', to_jsonb(to_char((state->>'at')::timestamptz at time zone 'UTC' - interval '3 minutes', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')))
     where state->>'status' in ('sending', 'unknown')`,
  );
}
