import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Id } from '../../src/events/id.ts';
import { startDeliveryApi, type DeliveryApi, type Owner } from '../support/delivery-api.ts';

let api: DeliveryApi;
let owner: Owner;
let formId: Id<'form'>;
const settings = { webhook: { url: 'https://example.com/hooks' } };

beforeAll(async () => {
  api = await startDeliveryApi();
  owner = await api.newOwner();
  formId = (await api.newForm(owner)).id;
});
afterAll(() => api[Symbol.asyncDispose]());

const mutation = 'mutation ($input: PreviewIntegrationInput!) { previewIntegration(input: $input) { preview errors { code path message } } }';
const preview = async (input: object) => (await api.gql(mutation, { input: { formId, settings, ...input } }, owner.token)).previewIntegration;
const submit = async (): Promise<string> => {
  const answers = [{ key: 'monthly_income', value: 52_000 }];
  const { submitResponse } = await api.gql('mutation ($input: SubmitResponseInput!) { submitResponse(input: $input) { response { id } errors { message path } } }', { input: { formId: (await plainForm()), answers } });
  return submitResponse.response.id;
};
const plainForm = async () => (plain ??= (await api.newForm(owner, [{ key: 'monthly_income', text: 'Income', kind: 'INTEGER' }])).id);
let plain: string | undefined;

describe('a preview', () => {
  test('of a response shows what would be sent for it', async () => {
    const responseId = await submit();
    const { preview: shown, errors } = await preview({ formId: plain, responseId });
    expect(errors).toEqual([]);
    expect(shown).toMatchObject({ url: settings.webhook.url, body: { type: 'response.created', data: { response: { id: responseId, answers: [{ key: 'monthly_income', value: 52_000 }] } } } });
  });

  test('without one answers every question of the form', async () => {
    const { preview: shown } = await preview({});
    const { form } = await api.gql(`{ form(id: "${formId}") { questions { key } } }`);
    const { answers } = shown.body.data.response;
    expect(answers.map(({ key }: { key: string }) => key)).toEqual(form.questions.map(({ key }: { key: string }) => key));
    expect(answers.every(({ text }: { text: string }) => text !== '')).toBe(true);
  });

  test('sends and saves nothing', async () => {
    await preview({});
    const { rows } = await api.pool.query('select (select count(*)::int from integrations) as integrations, (select count(*)::int from deliveries) as deliveries');
    expect(rows).toEqual([{ integrations: 0, deliveries: 0 }]);
  });

  test.for([
    ['settings that saving would refuse', { settings: { webhook: { url: 'http://10.0.0.1/' } } }, 'INVALID_INPUT', ['settings', 'webhook']],
    ['a form that is not there', { formId: 'form_01h455vb4pex5vsknk084sn02q' }, 'NOT_FOUND', ['formId']],
    ['a response that is not there', { responseId: 'resp_01h455vb4pex5vsknk084sn02q' }, 'NOT_FOUND', ['responseId']],
    ['what has none', { settings: { rules: { rules: [{ name: 'a', expression: 'true', message: 'x' }] } } }, 'INVALID_INPUT', ['settings', 'rules']],
  ] as const)('of %s is a fault there', async ([, input, code, path]) => {
    expect(await preview(input)).toMatchObject({ preview: null, errors: [{ code, path }] });
  });

  test('of a response to another form, or an erased one, is a fault', async () => {
    const responseId = await submit();
    expect((await preview({ responseId })).errors).toMatchObject([{ code: 'NOT_FOUND', path: ['responseId'] }]);
    await api.gql('mutation ($input: EraseResponseInput!) { eraseResponse(input: $input) { errors { code } } }', { input: { responseId } }, owner.token);
    expect((await preview({ formId: plain, responseId })).errors).toMatchObject([{ code: 'RESPONSE_ERASED', path: ['responseId'] }]);
  });
});
