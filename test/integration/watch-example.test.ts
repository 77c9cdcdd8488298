import { readFileSync } from 'node:fs';
import { createClient as createSseClient } from 'graphql-sse';
import { createClient as createSocketClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startProduct, type TestProduct } from '../support/product.ts';

type Watch = (client: unknown, variables: { formId: string; after: string }, show: (response: { id: string }) => void) => Promise<void>;

interface Options {
  on: { connecting: () => void };
}

let product: TestProduct;
let watch: Watch;
let goOn: object;
beforeAll(async () => {
  product = await startProduct();
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  const [, example = ''] = /```js\n([\s\S]*?async function watch[\s\S]*?)```/.exec(readme) ?? [];
  ({ watch, goOn } = (await import(`data:text/javascript,${encodeURIComponent(`${example}\nexport { watch, goOn };`)}`)) as { watch: Watch; goOn: object });
});
afterAll(() => product[Symbol.asyncDispose]());

const overSse = (options: Options) => createSseClient({ url: `${product.url}/graphql`, headers: () => ({ authorization: `Bearer ${product.token}` }), ...goOn, ...options });
const overSocket = (options: Options) =>
  createSocketClient({ url: `${product.url.replace('http', 'ws')}/graphql`, webSocketImpl: WebSocket, connectionParams: () => ({ authorization: `Bearer ${product.token}` }), ...goOn, ...options });

test.each([
  ['SSE', overSse],
  ['WebSocket', overSocket],
])('the example in the README goes on over %s while the process it watches is away and comes back, from before everything on', async (_name, open) => {
  const { form } = await product.api.call<{ form: { id: string } }>('mutation ($input: CreateFormInput!) { createForm(input: $input) { form { id } errors { message } } }', {
    title: 'Watched', questions: [{ key: 'age', text: 'Age', kind: 'INTEGER' }],
  });
  const submit = async (): Promise<string> =>
    (await product.api.call<{ response: { id: string } }>('mutation ($input: SubmitResponseInput!) { submitResponse(input: $input) { response { id } errors { message } } }', { formId: form.id, answers: [{ key: 'age', value: 1 }] })).response.id;
  const ids = [await submit()];
  const shown: string[] = [];
  let attempts = 0;
  const client = open({ on: { connecting: () => void (attempts += 1) } });
  const watching = watch(client, { formId: form.id, after: 'QDA' }, ({ id }) => void shown.push(id));
  watching.catch(() => undefined);
  await expect.poll(() => shown).toEqual(ids);
  ids.push(await submit());
  const before = attempts;
  // the first of the two was refused
  await product.restartApi(() => expect.poll(() => attempts, { timeout: 15_000 }).toBeGreaterThanOrEqual(before + 2));
  ids.push(await submit());
  await expect.poll(() => shown, { timeout: 15_000 }).toEqual(ids);
  await product.api.call('mutation ($input: DeleteFormInput!) { deleteForm(input: $input) { errors { message } } }', { id: form.id });
  await expect(watching).rejects.toMatchObject([{ extensions: { code: 'FORBIDDEN' } }]);
  await client.dispose();
});
