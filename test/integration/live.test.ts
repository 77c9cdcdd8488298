import { createClient } from 'graphql-sse';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { encodeCursor, positionKey } from '../../src/graphql/cursor.ts';
import { startProduct, type TestProduct } from '../support/product.ts';
import { subscribeOverSse, type SseSubscriber } from '../support/subscriber.ts';

let product: TestProduct;
beforeAll(async () => {
  product = await startProduct();
});
afterAll(() => product[Symbol.asyncDispose]());

// oxlint-disable-next-line typescript/no-explicit-any -- tests know what they asked for
const run = <T = any>(name: string, input: object, selection: string): Promise<T> =>
  product.api.call(`mutation ($input: ${name.charAt(0).toUpperCase()}${name.slice(1)}Input!) { ${name}(input: $input) { ${selection} errors { code message } } }`, input as Record<string, unknown>);
const newForm = async (questions: object[] = [{ key: 'age', text: 'Age', kind: 'INTEGER' }]): Promise<string> => (await run('createForm', { title: 'Live', questions }, 'form { id }')).form.id;
const submit = async (formId: string, age = 1): Promise<string> => (await run('submitResponse', { formId, answers: [{ key: 'age', value: age }] }, 'response { id }')).response.id;

const created = 'subscription ($formId: ID!, $after: String, $where: String) { responseCreated(formId: $formId, after: $after, where: $where) { cursor event { id type } response { id answers { value } } } }';
const changed = created.replace('responseCreated', 'responseChanged').replace('answers { value }', 'answers { value } revision erasedAt');

const subscribe = (variables: Record<string, unknown>, options: { query?: string; lastEventId?: string; token?: string | undefined } = {}): Promise<SseSubscriber> =>
  subscribeOverSse(product.url, { query: created, variables, token: product.token, ...options });
const idsOf = ({ told }: SseSubscriber): string[] => told.map(({ result: { data } }) => (data.responseCreated ?? data.responseChanged).response.id);

describe('a subscriber to responses', () => {
  test('is told each that comes in, with its event and its cursor', async () => {
    const formId = await newForm();
    const subscriber = await subscribe({ formId });
    expect(subscriber.status()).toBe(200);
    const id = await submit(formId, 41);
    const [told] = await subscriber.until(1);
    expect(told?.result.data.responseCreated).toEqual({
      cursor: told?.id, event: { id: id.replace('resp_', 'evt_'), type: 'RESPONSE_CREATED' }, response: { id, answers: [{ value: 41 }] },
    });
    subscriber.disconnect();
  });

  test('goes on from a cursor: of an event, of a page of the form, and by Last-Event-ID', async () => {
    const formId = await newForm();
    const ids = [await submit(formId), await submit(formId), await submit(formId)];
    const { edges } = (await product.api.call<{ responses: { edges: { cursor: string }[] } }>(`query { form(id: "${formId}") { responses { edges { cursor } } } }`)).responses;
    const [first, second] = edges.map(({ cursor }) => cursor);
    const fromPage = await subscribe({ formId, after: first });
    await fromPage.until(2);
    expect(idsOf(fromPage)).toEqual(ids.slice(1));
    expect(fromPage.told[0]?.id).toBe(second);
    const byHeader = await subscribe({ formId, after: first }, { lastEventId: second ?? '' });
    await byHeader.until(1);
    expect(idsOf(byHeader)).toEqual(ids.slice(2));
    const late = await submit(formId);
    await Promise.all([fromPage.until(3), byHeader.until(2)]);
    expect([idsOf(fromPage), idsOf(byHeader)]).toEqual([[...ids.slice(1), late], [ids[2], late]]);
    const after = fromPage.told[0]?.id;
    const page = await product.api.call<{ responses: { edges: { node: { id: string } }[] } }>(`query { form(id: "${formId}") { responses(after: "${after}") { edges { node { id } } } } }`);
    expect(page.responses.edges.map(({ node }) => node.id)).toEqual([ids[2], late]);
    for (const one of [fromPage, byHeader]) one.disconnect();
  });

  test('with a condition is told only those of which it is true', async () => {
    const formId = await newForm();
    const subscriber = await subscribe({ formId, where: 'age > 17' });
    await submit(formId, 3);
    const grown = await submit(formId, 18);
    await subscriber.until(1);
    expect(idsOf(subscriber)).toEqual([grown]);
    subscriber.disconnect();
    const wrong = await subscribe({ formId, where: 'height > 17' });
    expect(await wrong.completed()).toMatchObject([{ result: { errors: [{ extensions: { code: 'INVALID_INPUT', faults: [{ path: ['where'] }] } }] } }]);
  });

  test('is told what becomes of them: amended, and deleted', async () => {
    const formId = await newForm();
    const subscriber = await subscribe({ formId }, { query: changed });
    const id = await submit(formId, 1);
    const { response } = await run('amendResponse', { responseId: id, expectedRevision: 1, answers: [{ key: 'age', value: 2 }] }, 'response { id }');
    await run('eraseResponse', { responseId: id }, 'response { id }');
    const told = await subscriber.until(2);
    expect(told.map(({ result }) => result.data.responseChanged)).toMatchObject([
      { event: { type: 'RESPONSE_AMENDED' }, response: { id: response.id, revision: 2 } },
      { event: { type: 'RESPONSE_DELETED' }, response: { id: response.id, answers: [], erasedAt: expect.any(String) } },
    ]);
    subscriber.disconnect();
  });

  test('can be the client of graphql-sse', async () => {
    const formId = await newForm();
    const after = encodeCursor(positionKey(0));
    const client = createClient({ url: `${product.url}/graphql`, headers: { authorization: `Bearer ${product.token}` } });
    const iterator = client.iterate<{ responseCreated: { response: { id: string } } }>({ query: created, variables: { formId, after } });
    const next = iterator.next();
    const id = await submit(formId);
    expect((await next).value).toMatchObject({ data: { responseCreated: { response: { id } } } });
    await iterator.return?.();
    client.dispose();
  });
});
