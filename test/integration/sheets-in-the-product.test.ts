import { expect, test } from 'vitest';
import type { ApiClient } from '../../src/bin/demo/api-client.ts';
import { keyFileOf } from '../support/google/key-file.ts';
import { startGoogle } from '../support/google/google.ts';
import { startProduct } from '../support/product.ts';

// oxlint-disable-next-line typescript/no-explicit-any -- tests know what they asked for
const run = (api: ApiClient, name: string, input: Record<string, unknown>, selection: string): Promise<any> =>
  api.call(`mutation ($input: ${name.charAt(0).toUpperCase()}${name.slice(1)}Input!) { ${name}(input: $input) { ${selection} errors { message } } }`, input);

test('a spreadsheet is made, filled with what was there before, compared, mended, and goes to the bin with its form', { timeout: 90_000 }, async () => {
  await using google = await startGoogle();
  const account = google.accounts.addServiceAccount();
  const driveId = google.addSharedDrive({ [account.email]: 'fileOrganizer' });
  await using product = await startProduct({ FORMWIRE_OUTSIDE_URLS: `google=${google.url}` });
  const { api } = product;
  const { form } = await run(api, 'createForm', { title: 'Lunch', questions: [{ key: 'soup', text: 'Soup?', kind: 'TEXT' }] }, 'form { id }');
  const submit = (...soups: string[]) =>
    run(api, 'submitResponses', { responses: soups.map((value) => ({ formId: form.id, answers: [{ key: 'soup', value }] })) }, 'results { response { id } }');
  await submit('Leek', 'Lentil', 'Tomato');

  const settings = { googleSheets: { serviceAccount: { key: keyFileOf(account) }, folderId: driveId } };
  const { integration } = await run(api, 'createIntegration', { formId: form.id, settings }, 'integration { id }');
  const shown = () => api.call<{ status: string; resourceUrl: string | null; jobs: { kind: string; status: string }[] }>(
    `{ node(id: "${integration.id}") { ... on Integration { status resourceUrl jobs { id kind status reason done delivered differing differences { responseId difference } } } } }`,
  );
  const newest = async (kind: string) => (await shown()).jobs.find((job) => job.kind === kind);
  await expect.poll(shown, { timeout: 20_000 }).toMatchObject({ status: 'ACTIVE', resourceUrl: expect.stringContaining('/spreadsheets/d/') });
  const fileId = (await shown()).resourceUrl?.split('/').at(-2) ?? '';
  const soups = () => google.asUser.rows(fileId).flatMap((row) => row.map(String).filter((cell) => ['Leek', 'Lentil', 'Tomato', 'Miso', 'Salt'].includes(cell))).toSorted();

  await run(api, 'startBackfill', { integrationId: integration.id }, 'job { id }');
  await expect.poll(() => newest('BACKFILL'), { timeout: 20_000 }).toMatchObject({ status: 'DONE', done: 3, delivered: 3 });
  await submit('Miso');
  await expect.poll(soups, { timeout: 20_000 }).toEqual(['Leek', 'Lentil', 'Miso', 'Tomato']);

  const rows = google.asUser.rows(fileId);
  const row = rows.findIndex((cells) => cells.includes('Lentil'));
  google.asUser.type(fileId, { row, column: rows[row]?.indexOf('Lentil') ?? 0, text: 'Salt' });
  expect(soups()).toContain('Salt');
  await run(api, 'verifySheet', { integrationId: integration.id }, 'job { id }');
  await expect.poll(() => newest('VERIFY'), { timeout: 20_000 }).toMatchObject({ status: 'DONE', done: 4, differing: 1, differences: [{ difference: expect.any(String) }] });
  await run(api, 'verifySheet', { integrationId: integration.id, repair: true }, 'job { id }');
  await expect.poll(() => newest('VERIFY'), { timeout: 20_000 }).toMatchObject({ status: 'DONE', differing: 1, delivered: 1 });
  expect(soups()).toEqual(['Leek', 'Lentil', 'Miso', 'Tomato']);

  await run(api, 'deleteForm', { id: form.id }, 'form { id }');
  await expect.poll(() => google.files().find(({ id }) => id === fileId)?.trashed, { timeout: 20_000 }).toBe(true);
});
