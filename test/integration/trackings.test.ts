import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Tracking } from '../../integrations/provider.ts';
import { createFollower } from '../../src/integrations/follow-trackings.ts';
import { followWaitsMs, neverTold } from '../../src/deliveries/claim-trackings.ts';
import { noteTrackings } from '../../src/deliveries/note-trackings.ts';
import type { Id } from '../../src/events/id.ts';
import { silentLog } from '../../src/log.ts';
import { startFakeProduct, type FakeProduct } from '../support/fake-product.ts';
import { fake, service } from '../support/fake-provider.ts';
import { testSealer } from '../support/sealer.ts';

vi.mock('../../integrations/index.ts', async (original) => (await import('../support/fake-provider.ts')).withFake(await original()));

let product: FakeProduct;
let formId: Id<'form'>;
let integrationId: Id<'intg'>;
let responseId: Id<'resp'>;
let eventId: Id<'evt'>;

beforeAll(async () => {
  product = await startFakeProduct();
});
afterAll(() => product[Symbol.asyncDispose]());
beforeEach(async () => {
  service.reset();
  await product.pipeline.pool.query('delete from trackings');
  formId = await product.newForm();
  integrationId = await product.connect(formId);
  const [submitted] = await product.submit(formId, 1);
  if (!submitted) throw new Error('nothing submitted');
  responseId = submitted;
  await expect.poll(() => service.delivered.length, { timeout: 10_000 }).toBe(1);
  await expect.poll(async () => (await shown()).length).toBe(1);
  eventId = service.delivered[0]?.event.id ?? 'evt_none';
});

const note = (news: Partial<Tracking>) =>
  noteTrackings(product.pipeline.pool, { integrationId, trackings: [{ eventId, reference: 'SM1', status: 'sent', rank: 1, isFinal: false, ...news }] });
const shown = async () =>
  (await product.api.call<{ deliveries: { tracking: object | null }[] }>(`{ response(id: "${responseId}") { deliveries { tracking { reference status detail isFinal } } } }`)).deliveries.map(({ tracking }) => tracking);
const row = async () =>
  (await product.pipeline.pool.query('select follows, is_final as "isFinal", (extract(epoch from follow_at - now()) * 1000)::float8 as "inMs", follow_at is null as "isOver" from trackings where event_id = $1', [eventId])).rows[0];
const makeDue = () => product.pipeline.pool.query('update trackings set follow_at = now()');

/** Of another process, at a time of the test's choosing. */
const follower = () => {
  const { pool, callContext } = product.pipeline;
  return createFollower({ pool, callContext, log: silentLog, sealer: testSealer, providerNamed: () => fake, everyMs: 3_600_000 });
};
const follow = async () => {
  await makeDue();
  // the product's own may be quicker: either of them has asked then
  await follower().follow(new AbortController().signal);
};

describe('what an outside service says of a delivery', () => {
  test('is shown with it, and nothing where it says nothing', async () => {
    expect(await shown()).toEqual([null]);
    await note({ status: 'undelivered', isFinal: true, detail: 'The number is not in use.', rank: 3 });
    expect(await shown()).toEqual([{ reference: 'SM1', status: 'undelivered', detail: 'The number is not in use.', isFinal: true }]);
  });

  test('is what is farthest along, in whatever order it comes', async () => {
    await note({ status: 'delivered', rank: 4, isFinal: true });
    await note({ status: 'sent', rank: 2 });
    expect(await shown()).toMatchObject([{ status: 'delivered', isFinal: true }]);
  });

  test('loses its detail with the response, and gets none any more', async () => {
    await note({ detail: 'Sent to +1 415 555 0100.' });
    await product.run('eraseResponse', { responseId }, 'response { id }');
    expect(await shown()).toContainEqual({ reference: 'SM1', status: 'sent', detail: null, isFinal: false });
    await note({ status: 'failed', rank: 5, detail: 'No route to +1 415 555 0100.' });
    expect(await shown()).toContainEqual({ reference: 'SM1', status: 'failed', detail: null, isFinal: false });
  });
});

describe('an outside service that does not call back', () => {
  test('is not asked within the first minute', async () => {
    await note({});
    await follower().follow(new AbortController().signal);
    expect(service.followed).toEqual([]);
    expect((await row()).inMs).toBeGreaterThan(50_000);
  });

  test('is asked what became of it, and what it tells is the end', async () => {
    service.follow = async (trackings, { track }) => track(trackings.map((tracking) => ({ ...tracking, status: 'delivered', rank: 9, isFinal: true })));
    await note({});
    await makeDue();
    await expect.poll(async () => (await row()).isOver, { timeout: 10_000 }).toBe(true);
    expect(service.followed).toMatchObject([{ eventId, reference: 'SM1', status: 'sent', rank: 1 }]);
    expect(await shown()).toMatchObject([{ status: 'delivered', isFinal: true }]);
  });

  test('is asked ever more rarely, and no more after three days', async () => {
    await note({});
    const waits: number[] = [];
    while (!(await row()).isOver) {
      const { follows } = await row();
      await follow();
      await expect.poll(async () => (await row()).follows, { timeout: 10_000 }).toBeGreaterThan(follows);
      waits.push(Math.round((await row()).inMs / 60_000));
    }
    await expect.poll(async () => (await row()).isFinal, { timeout: 10_000 }).toBe(true);
    expect(waits).toEqual([...followWaitsMs.map((ms) => ms / 60_000), 0]);
    expect(await shown()).toEqual([{ reference: 'SM1', status: 'sent', detail: neverTold, isFinal: true }]);
    expect(service.followed.length).toBe(followWaitsMs.length + 1);
  });

  test('that cannot be asked is asked again by the same schedule', async () => {
    service.follow = async () => Promise.reject(new Error('away'));
    await note({});
    await follow();
    await expect.poll(async () => (await row()).follows).toBe(1);
    expect(await row()).toMatchObject({ isOver: false, isFinal: false });
  });

  test('is not waited for where its turn comes late, so that others are asked meanwhile', async () => {
    service.quotas = [{ name: `fake:${integrationId}`, perMinute: 1, burst: 1 }];
    await note({});
    for (let follows = 1; follows <= 3; follows += 1) {
      await follow();
      await expect.poll(async () => (await row()).follows).toBe(follows);
    }
    expect(service.followed).toHaveLength(1);
    expect(await row()).toMatchObject({ isOver: false, isFinal: false });
  });

  test('is asked nothing any more for an integration that was deleted', async () => {
    await note({});
    await product.run('deleteIntegration', { id: integrationId }, 'integration { id }');
    await follow();
    await expect.poll(async () => (await row()).isOver, { timeout: 10_000 }).toBe(true);
    expect(service.followed).toEqual([]);
  });
});
