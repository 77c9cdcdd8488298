import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { startFakeProduct, type FakeProduct } from '../support/fake-product.ts';
import { service } from '../support/fake-provider.ts';

vi.mock('../../integrations/index.ts', async (original) => (await import('../support/fake-provider.ts')).withFake(await original()));

let product: FakeProduct;
beforeAll(async () => {
  product = await startFakeProduct();
});
afterAll(() => product[Symbol.asyncDispose]());

test('an organisation that names the account of another one takes none of its turns', async () => {
  service.quotas = [{ name: 'fake:account:victim', perMinute: 1, burst: 2 }];
  const formId = await product.newForm();
  await product.finished(await product.connect(formId), 'connect');
  await product.submit(formId, 20);
  await expect.poll(() => service.delivered.length).toBe(1);

  const victim = { username: 'victim', email: 'victim@example.org', password: 'correct horse battery' };
  const { token } = await product.stranger.call<{ token: string }>('mutation ($input: RegisterInput!) { register(input: $input) { token errors { message } } }', victim);
  product.api.login(token);
  const own = await product.newForm();
  await product.finished(await product.connect(own), 'connect');
  await product.submit(own, 1);
  await expect.poll(() => service.delivered.map(({ event }) => event.formId)).toContain(own);
});
