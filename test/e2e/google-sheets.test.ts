import { expect, test } from 'vitest';
import type { ApiClient } from '../../src/bin/demo/api-client.ts';
import { spreadsheetType } from '../support/google/drive-files.ts';
import { startGoogle, type GoogleSimulator } from '../support/google/google.ts';
import { keyFileOf } from '../support/google/key-file.ts';
import { waitForTally } from '../support/pipeline.ts';
import { startProduct } from '../support/product.ts';

const mutation = (name: string, what: string): string => {
  const type = `${name.charAt(0).toUpperCase()}${name.slice(1)}Input`;
  return `mutation ($input: ${type}!) { ${name}(input: $input) { ${what} errors { message } } }`;
};

async function connectSheet(api: ApiClient, google: GoogleSimulator): Promise<{ formId: string; integrationId: string }> {
  const account = google.accounts.addServiceAccount();
  const folderId = google.addSharedDrive({ [account.email]: 'fileOrganizer' });
  const questions = [{ key: 'name', text: 'Who are you?', kind: 'TEXT' }, { key: 'income', text: 'Your income?', kind: 'INTEGER' }];
  const { form } = await api.call<{ form: { id: string } }>(mutation('createForm', 'form { id }'), { title: 'Households', questions });
  const settings = { googleSheets: { serviceAccount: { key: keyFileOf(account) }, folderId } };
  const { integration } = await api.call<{ integration: { id: string; settings: object } }>(mutation('createIntegration', 'integration { id settings }'), { formId: form.id, settings });
  expect(integration.settings).toEqual({ serviceAccount: { key: '…' }, folderId, removedQuestions: 'keep' });
  await expect.poll(() => resourceUrlOf(api, integration.id), { timeout: 10_000 }).toMatch(/^https:\/\/docs\.google\.com\/spreadsheets\/d\//);
  return { formId: form.id, integrationId: integration.id };
}

const resourceUrlOf = async (api: ApiClient, id: string): Promise<string | null> =>
  (await api.call<{ resourceUrl: string | null }>(`query { node(id: "${id}") { ... on Integration { resourceUrl } } }`)).resourceUrl;

const submit = async (api: ApiClient, formId: string, answers: Record<string, unknown>): Promise<string> => {
  const list = Object.entries(answers).map(([key, value]) => ({ key, value }));
  return (await api.call<{ response: { id: string } }>(mutation('submitResponse', 'response { id }'), { formId, answers: list })).response.id;
};

const fileOf = (google: GoogleSimulator) => google.files().find(({ mimeType }) => mimeType === spreadsheetType);
const rowsOf = (google: GoogleSimulator) => google.asUser.rows(fileOf(google)?.id ?? '').map((row) => [row[0], row[2], ...row.slice(4)]);

test('a form is connected, and its sheet follows its responses and its questions until it goes to the bin', { timeout: 60_000 }, async () => {
  await using google = await startGoogle();
  await using product = await startProduct({ FORMWIRE_OUTSIDE_URLS: `google=${google.url}` });
  const { api, stranger, pipeline } = product;
  const { formId, integrationId } = await connectSheet(api, google);
  expect(fileOf(google)).toMatchObject({ name: 'Households', permissions: [{ emailAddress: 'owner@example.org' }] });

  google.faults.add({ when: ({ operation }) => operation === 'sheets.batchUpdate', outcome: { kind: 'drop', applied: true } });
  const ids = await Promise.all(['Ada', 'Grace', '=Linus'].map((name, index) => submit(stranger, formId, { name, income: index * 1_000 })));
  await waitForTally(pipeline.pool, { outbox: 0, delivered: 3 });
  expect(rowsOf(google)).toHaveLength(4);
  expect(rowsOf(google)).toEqual(expect.arrayContaining([[ids[0], 1, 'Ada', 0], [ids[1], 1, 'Grace', 1_000], [ids[2], 1, '=Linus', 2_000]]));

  await api.call(mutation('addQuestion', 'form { id }'), { formId, question: { key: 'savings', text: 'Your savings?', kind: 'INTEGER' } });
  await api.call(mutation('amendResponse', 'response { id }'), { responseId: ids[1], expectedRevision: 1, answers: [{ key: 'savings', value: 7 }] });
  await api.call(mutation('eraseResponse', 'response { id }'), { responseId: ids[0] });
  await waitForTally(pipeline.pool, { outbox: 0, delivered: 5 });
  expect(rowsOf(google)[0]).toEqual(['Response', 'Revision', 'Who are you?', 'Your income?', 'Your savings?']);
  expect(rowsOf(google)).toEqual(expect.arrayContaining([expect.arrayContaining(['(erased)']), [ids[1], 2, 'Grace', 1_000, 7]]));
  expect(JSON.stringify(rowsOf(google))).not.toContain('Ada');

  await api.call(mutation('deleteIntegration', 'integration { id }'), { id: integrationId });
  await expect.poll(() => fileOf(google)?.trashed, { timeout: 10_000 }).toBe(true);
});
