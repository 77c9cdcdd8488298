import { readFileSync } from 'node:fs';
import { createClient as createSseClient } from 'graphql-sse';
import { createClient as createSocketClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startProduct, type TestProduct } from '../support/product.ts';

type Watch = (client: unknown, variables: { formId: string; after: string }, show: (response: { id: string }) => void) => Promise<void>;

let product: TestProduct;
let watch: Watch;
beforeAll(async () => {
  product = await startProduct();
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  const [, example = ''] = /```js\n([\s\S]*?async function watch[\s\S]*?)```/.exec(readme) ?? [];
  ({ watch } = (await import(`data:text/javascript,${encodeURIComponent(`${example}\nexport { watch };`)}`)) as { watch: Watch });
});
afterAll(() => product[Symbol.asyncDispose]());

const overSse = () => createSseClient({ url: `${product.url}/graphql`, headers: { authorization: `Bearer ${product.token}` } });
const overSocket = () => createSocketClient({ url: `${product.url.replace('http', 'ws')}/graphql`, webSocketImpl: WebSocket, connectionParams: { authorization: `Bearer ${product.token}` } });

test.each([
  ['SSE', overSse],
  ['WebSocket', overSocket],
])('the example in the README goes on over %s while the process it watches is restarted, from before everything on', async (_name, open) => {
  const { form } = await product.api.call<{ form: { id: string } }>('mutation ($input: CreateFormInput!) { createForm(input: $input) { form { id } errors { message } } }', {
    title: 'Watched', questions: [{ key: 'age', text: 'Age', kind: 'INTEGER' }],
  });
  const submit = async (): Promise<string> =>
    (await product.api.call<{ response: { id: string } }>('mutation ($input: SubmitResponseInput!) { submitResponse(input: $input) { response { id } errors { message } } }', { formId: form.id, answers: [{ key: 'age', value: 1 }] })).response.id;
  const ids = [await submit()];
  const shown: string[] = [];
  const client = open();
  const watching = watch(client, { formId: form.id, after: 'QDA' }, ({ id }) => void shown.push(id));
  watching.catch(() => undefined);
  await expect.poll(() => shown).toEqual(ids);
  ids.push(await submit());
  await product.restartApi();
  ids.push(await submit());
  await expect.poll(() => shown, { timeout: 15_000 }).toEqual(ids);
  await product.api.call('mutation ($input: DeleteFormInput!) { deleteForm(input: $input) { errors { message } } }', { id: form.id });
  await expect(watching).rejects.toMatchObject([{ extensions: { code: 'FORBIDDEN' } }]);
  await client.dispose();
});
