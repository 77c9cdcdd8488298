import { afterAll, beforeAll, expect, test } from 'vitest';
import { createLog } from '../../src/log.ts';
import { startProduct, type TestProduct } from '../support/product.ts';

let product: TestProduct;
const lines: string[] = [];
beforeAll(async () => {
  product = await startProduct({}, { log: createLog('info', { write: (line) => void lines.push(line) }) });
});
afterAll(() => product[Symbol.asyncDispose]());

const changes = () => lines.map((line) => JSON.parse(line)).filter(({ event }) => event === 'change.made');
/** Calls a mutation by its name, asking for these members of what it answers. */
const call = <T>(name: string, members: string, input: Record<string, unknown>): Promise<T> => {
  const type = `${name.charAt(0).toUpperCase()}${name.slice(1)}Input`;
  return product.api.call<T>(`mutation ($input: ${type}!) { ${name}(input: $input) { ${members} errors { code message } } }`, input);
};
const question = { text: 'Zq why?', kind: 'TEXT' };
const createForm = async (): Promise<string> => (await call<{ form: { id: string } }>('createForm', 'form { id }', { title: 'Zq title', questions: [question] })).form.id;

test('the log says who has had what done, to what, in which request', async () => {
  const formId = await createForm();
  const { apiKey } = await call<{ apiKey: { id: string } }>('createApiKey', 'apiKey { id }', { name: 'Zq name', scopes: ['OPERATE'] });
  await call('updateForm', 'form { id }', { id: formId, title: 'Zq again' });

  const [registered, ...others] = changes();
  expect(registered).toMatchObject({ mutation: 'register', ids: [registered.userId] });
  const { userId, organizationId, credentialId } = registered;
  const by = { userId, organizationId, credentialId, by: 'session', requestId: expect.stringMatching(/^req_/) };
  expect(others).toMatchObject([
    { mutation: 'createForm', ids: [formId], ...by },
    { mutation: 'createApiKey', ids: [apiKey.id], ...by },
    { mutation: 'updateForm', ids: [formId], ...by },
  ]);
  expect(lines.join('')).not.toContain('Zq');
});

test('and nothing of what was refused, changes nothing, or is a response', async () => {
  const formId = await createForm();
  await call('createIntegration', 'integration { id }', { formId, settings: { webhook: { url: 'http://127.0.0.1:9/' } } });
  const before = changes().length;
  await expect(call('createForm', 'form { id }', { title: '', questions: [question] })).rejects.toThrow();
  await call('submitResponses', 'results { response { id } }', { responses: [{ formId, answers: [] }] });
  await call('previewReplay', 'preview { token }', { formId, since: '2026-01-01T00:00:00Z', mode: 'MISSED' });
  expect(changes()).toHaveLength(before);
});
