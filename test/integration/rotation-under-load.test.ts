import { Webhook } from 'standardwebhooks';
import { expect, test } from 'vitest';
import { startFakeProduct } from '../support/fake-product.ts';
import { startLoad } from '../support/load.ts';
import { startPipeline, waitForTally, type TestPipeline } from '../support/pipeline.ts';
import { createHousehold } from '../support/product-calls.ts';
import { startReceiver, type ReceivedRequest, type Receiver, type Respond } from '../support/receiver.ts';

/** What a receiver answers that knows these secrets: it refuses whatever none of them has signed. */
const knowing = (...secrets: string[]) => (request: ReceivedRequest): number => (secrets.some((secret) => isSignedBy(secret, request)) ? 200 : 401);

function isSignedBy(secret: string, { body, headers }: ReceivedRequest): boolean {
  try {
    new Webhook(secret).verify(body, headers as Record<string, string>);
    return true;
  } catch {
    return false;
  }
}

const signaturesOf = ({ headers }: ReceivedRequest): number => String(headers['webhook-signature']).split(' ').length;
/** In whole seconds. */
const signedAt = ({ headers }: ReceivedRequest): number => Number(headers['webhook-timestamp']) * 1_000;

/** Goes on until so many more have come. */
const takeMore = async (receiver: Receiver, count: number): Promise<void> => void (await receiver.waitFor(receiver.requests.length + count, 30_000));
const share = async (...dispatchers: TestPipeline[]): Promise<void> =>
  expect.poll(() => dispatchers.map(({ dispatcher }) => dispatcher?.state().partitions.length), { timeout: 20_000 }).toEqual(dispatchers.map(() => 16 / dispatchers.length));

test('secrets are rotated under load in two dispatchers, one of them new: nothing is refused, and what has ended signs no more', { timeout: 90_000 }, async () => {
  await using product = await startFakeProduct({ FORMWIRE_ROLES: 'api,relay' });
  await using receiver = await startReceiver();
  const openDispatcher = (): TestPipeline => startPipeline({ databaseUrl: product.databaseUrl, natsUrl: product.nats.url, settings: { FORMWIRE_ROLES: 'dispatcher' } });
  await using one = openDispatcher();
  await using other = openDispatcher();
  await share(one, other);
  const { integration, secret: first } = await product.run('createIntegration', { settings: { webhook: { url: receiver.url } } }, 'integration { id } secret');
  const rotate = (keepOldFor: string): Promise<{ secret: string; integration: { oldSecretsEndAt: string } }> =>
    product.run('rotateSecret', { id: integration.id, keepOldFor }, 'secret integration { oldSecretsEndAt }');
  const formIds = await Promise.all(Array.from({ length: 8 }, () => createHousehold(product.api)));

  receiver.respond = knowing(first);
  const loads = formIds.map((formId) => startLoad(product.pipeline, { formId, prefix: 'load-', concurrency: 1, everyMs: 20 }));
  await takeMore(receiver, 50);
  const { secret: second } = await rotate('24h');
  await takeMore(receiver, 100); // still goes by the old one
  receiver.respond = knowing(second);
  await takeMore(receiver, 100);
  await one.stop();
  await using restarted = openDispatcher();
  await share(other, restarted);
  await takeMore(receiver, 100);

  const { secret: third, integration: { oldSecretsEndAt } } = await rotate('1s');
  const isOver = (request: ReceivedRequest): boolean => signedAt(request) >= Date.parse(oldSecretsEndAt);
  const respond: Respond = (request) => (isOver(request) ? knowing(third) : knowing(second, third))(request);
  receiver.respond = respond;
  await receiver.waitFor((requests) => requests.filter(isOver).length >= 100, 30_000);
  await Promise.all(loads.map((load) => load.end()));

  const responses = loads.reduce((sum, load) => sum + load.accepted.size, 0);
  await waitForTally(product.pipeline.pool, { responses, outbox: 0, delivered: responses, pending: 0, dead: 0, attempts: responses });
  expect(new Set(receiver.requests.map(signaturesOf))).toEqual(new Set([1, 2, 3]));
  expect(receiver.requests.filter(isOver).filter((request) => signaturesOf(request) > 1 || isSignedBy(first, request) || isSignedBy(second, request))).toEqual([]);
});
