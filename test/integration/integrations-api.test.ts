import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { newId, type Id } from '../../src/events/id.ts';
import { integrationsOfForm } from '../../src/integrations/enabled-integrations.ts';
import { matchesEvent } from '../../src/integrations/matching.ts';
import { startDeliveryApi, type DeliveryApi, type Owner } from '../support/delivery-api.ts';
import { insertDelivery, insertIntegration } from '../support/rows.ts';

let api: DeliveryApi;
let owner: Owner;
let stranger: Owner;
let formId: Id<'form'>;

beforeAll(async () => {
  api = await startDeliveryApi();
  owner = await api.newOwner();
  stranger = await api.newOwner();
});
afterAll(() => api[Symbol.asyncDispose]());
beforeEach(async () => {
  formId = (await api.newForm(owner, [{ text: 'Age?', kind: 'INTEGER' }])).id;
  api.announced.length = 0;
});

const fields = 'id provider name status statusReason events settings form { id } resourceUrl oldSecretsEndAt createdAt updatedAt deletedAt';
const createMutation = `mutation ($input: CreateIntegrationInput!) { createIntegration(input: $input) { integration { ${fields} } secret errors { code message path } } }`;
const updateMutation = `mutation ($input: UpdateIntegrationInput!) { updateIntegration(input: $input) { integration { ${fields} } errors { code path } } }`;
const deleteMutation = `mutation ($input: DeleteIntegrationInput!) { deleteIntegration(input: $input) { integration { ${fields} } errors { code path } } }`;

const create = async (input: object, token = owner.token) => (await api.gql(createMutation, { input }, token)).createIntegration;
const update = async (input: object, token = owner.token) => (await api.gql(updateMutation, { input }, token)).updateIntegration;
const remove = async (id: string, token = owner.token) => (await api.gql(deleteMutation, { input: { id } }, token)).deleteIntegration;
const webhook = (url = 'https://example.com/hooks') => ({ webhook: { url } });

const versionOf = async (organizationId: string): Promise<number> =>
  (await api.pool.query('select integrations_version as version from organizations where id = $1', [organizationId])).rows[0].version;

describe('connecting', () => {
  test('a webhook answers its secret, once', async () => {
    const { integration, secret, errors } = await create({ formId, settings: webhook() });
    expect(errors).toEqual([]);
    expect(secret).toMatch(/^whsec_/);
    expect(integration).toMatchObject({
      provider: 'webhook', name: 'Webhook', status: 'ACTIVE', statusReason: null, events: ['RESPONSE_CREATED'], form: { id: formId },
      settings: { url: 'https://example.com/hooks', ordered: false, timeoutMs: 15_000 },
      oldSecretsEndAt: null, resourceUrl: null, deletedAt: null,
    });
    const again = await api.gql(`query ($id: ID!) { node(id: $id) { ... on Integration { ${fields} } } }`, { id: integration.id }, owner.token);
    expect(JSON.stringify(again)).not.toContain(secret);
  });

  test('raises the version, which the new integration stands at, and tells the dispatchers', async () => {
    const before = await versionOf(owner.organizationId);
    const { integration } = await create({ formId, settings: webhook() });
    const { rows } = await api.pool.query('select since_version from integrations where id = $1', [integration.id]);
    expect(await versionOf(owner.organizationId)).toBe(before + 1);
    expect(rows).toEqual([{ since_version: before + 1 }]);
    expect(api.announced).toEqual([owner.organizationId]);
  });

  test('changes of one organisation at the same time each get a version of their own', async () => {
    const other = await api.newOwner();
    await Promise.all(Array.from({ length: 8 }, () => create({ settings: webhook() }, other.token)));
    const { rows } = await api.pool.query('select since_version from integrations where organization_id = $1 order by 1', [other.organizationId]);
    expect(rows.map((row) => row.since_version)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  });

  test('a form shows what is for it and what is for every form, not what is for another', async () => {
    const other = await api.newOwner();
    const [one, two] = [await api.newForm(other, []), await api.newForm(other, [])];
    const forOne = await create({ formId: one.id, settings: webhook() }, other.token);
    const forAll = await create({ settings: webhook(), name: 'All' }, other.token);
    await create({ formId: two.id, settings: webhook() }, other.token);
    const data = await api.gql('query ($id: ID!) { form(id: $id) { integrations { id name form { id } } } }', { id: one.id }, other.token);
    expect(data.form.integrations).toEqual([
      { id: forOne.integration.id, name: 'Webhook', form: { id: one.id } },
      { id: forAll.integration.id, name: 'All', form: null },
    ]);
  });

  test('settings and names come back as they were sent, whatever they contain, but for secrets', async () => {
    const value = `?'"\\ $1 :name {{x}} -- /* ; drop table`;
    const url = "https://example.com/'?a=1&b=%27%3F&c=\\";
    const name = `O'Brien ? $2 \\ "quoted" 👩‍👩‍👧`;
    const { integration } = await create({ formId, name, settings: { webhook: { url, headers: [{ name: 'X-Key', value }], ordered: null } } });
    expect(integration).toMatchObject({ name, settings: { url, headers: [{ name: 'X-Key', value: '…' }], ordered: false } });
    const data = await api.gql('query ($id: ID!) { node(id: $id) { ... on Integration { name settings } } }', { id: integration.id }, owner.token);
    expect(data.node).toEqual({ name, settings: integration.settings });
  });

  test.for([
    ['a URL that is none', { webhook: { url: 'nowhere' } }, ['settings', 'webhook', 'url']],
    ['a private address', { webhook: { url: 'http://10.0.0.1/' } }, ['settings', 'webhook']],
    ['a loopback address', { webhook: { url: 'http://127.0.0.1:9/' } }, ['settings', 'webhook']],
    ['a reserved header', { webhook: { url: 'https://example.com', headers: [{ name: 'webhook-id', value: 'x' }] } }, ['settings', 'webhook', 'headers', '0', 'name']],
    ['half a surrogate pair', { webhook: { url: 'https://example.com', headers: [{ name: 'x', value: '\ud800' }] } }, ['settings', 'webhook', 'headers', '0', 'value']],
  ] as const)('%s is a fault there', async ([, settings, path]) => {
    const { integration, errors, secret } = await create({ formId, settings });
    expect({ integration, secret }).toEqual({ integration: null, secret: null });
    expect(errors).toEqual([{ code: 'INVALID_INPUT', path, message: expect.any(String) }]);
  });

  test.for([
    ['a blank name', { name: ' ' }, 'name'],
    ['a name that is too long', { name: 'x'.repeat(201) }, 'name'],
    ['a name with NUL', { name: 'a\u0000' }, 'name'],
    ['no type of event', { events: [] }, 'events'],
  ] as const)('%s is a fault', async ([, input, path]) => {
    expect((await create({ formId, settings: webhook(), ...input })).errors).toMatchObject([{ code: 'INVALID_INPUT', path: [path] }]);
  });

  test('a form of somebody else is not found, and nothing is announced', async () => {
    for (const id of [formId, newId('form'), 'nonsense']) {
      expect((await create({ formId: id, settings: webhook() }, stranger.token)).errors).toMatchObject([{ code: 'NOT_FOUND', path: ['formId'] }]);
    }
    expect(api.announced).toEqual([]);
  });

  test('takes an account', async () => {
    const { body } = await api.post({ query: createMutation, variables: { input: { settings: webhook() } } });
    expect(body.errors).toMatchObject([{ extensions: { code: 'UNAUTHENTICATED' } }]);
  });
});

describe('changing', () => {
  test('one that is paused and resumed has what waits for it due at once', async () => {
    const { integration } = await create({ formId, settings: webhook() });
    const row = { ...owner, formId, responseId: newId('resp'), integrationId: integration.id, status: 'pending' as const };
    const later = await insertDelivery(api.pool, { ...row, nextAttemptAt: new Date(Date.now() + 3_600_000) });
    const never = await insertDelivery(api.pool, { ...row, nextAttemptAt: null });
    const dead = await insertDelivery(api.pool, { ...row, status: 'dead' });
    const due = async () => (await api.pool.query('select id from deliveries where next_attempt_at <= now() and integration_id = $1 order by id', [integration.id])).rows.map((one) => one.id);

    expect((await update({ id: integration.id, paused: true })).integration.status).toBe('PAUSED');
    expect((await update({ id: integration.id, settings: webhook('https://example.com/new') })).integration).toMatchObject({
      status: 'PAUSED', settings: { url: 'https://example.com/new' },
    });
    expect(await due()).toEqual([]);

    expect((await update({ id: integration.id, paused: false })).integration.status).toBe('ACTIVE');
    expect(await due()).toEqual([later, never].toSorted());
    expect(await due()).not.toContain(dead);
  });

  test.for(['failing', 'disabled'] as const)('the settings of one that is %s makes it active, without its reason', async (status) => {
    const id = await insertIntegration(api.pool, { ...owner, formId, status });
    await api.pool.query(`update integrations set status_reason = 'Gone.' where id = $1`, [id]);
    expect((await update({ id, name: 'New' })).integration).toMatchObject({ name: 'New', status: status.toUpperCase(), statusReason: 'Gone.' });
    expect((await update({ id, settings: webhook() })).integration).toMatchObject({ status: 'ACTIVE', statusReason: null });
  });

  test('raises the version but not the one it stands at, and makes its state a new one', async () => {
    const { integration } = await create({ formId, settings: webhook() });
    const read = async () => (await api.pool.query('select since_version, updated_at from integrations where id = $1', [integration.id])).rows[0];
    const [before, version] = [await read(), await versionOf(owner.organizationId)];
    await update({ id: integration.id, name: 'New' });
    const after = await read();
    expect(after.since_version).toBe(before.since_version);
    expect(after.updated_at.getTime()).toBeGreaterThan(before.updated_at.getTime());
    expect(await versionOf(owner.organizationId)).toBe(version + 1);
    expect(api.announced).toHaveLength(2);
  });

  test('a change with a fault changes nothing', async () => {
    const { integration } = await create({ formId, settings: webhook() });
    const version = await versionOf(owner.organizationId);
    const { errors } = await update({ id: integration.id, name: 'New', settings: webhook('nowhere') });
    expect(errors).toMatchObject([{ path: ['settings', 'webhook', 'url'] }]);
    const data = await api.gql('query ($id: ID!) { node(id: $id) { ... on Integration { name } } }', { id: integration.id }, owner.token);
    expect(data.node.name).toBe('Webhook');
    expect(await versionOf(owner.organizationId)).toBe(version);
  });
});

describe('deleting', () => {
  test('cancels what is pending, also what a dispatcher has claimed, and leaves the rest', async () => {
    const { integration } = await create({ formId, settings: webhook() });
    const row = { ...owner, formId, responseId: newId('resp'), integrationId: integration.id };
    const pending = await insertDelivery(api.pool, { ...row, status: 'pending' });
    const claimed = await insertDelivery(api.pool, { ...row, status: 'pending', claimedBy: newId('dsp'), claimExpiresAt: new Date(Date.now() + 60_000) });
    const delivered = await insertDelivery(api.pool, { ...row, status: 'delivered' });
    const elsewhere = await insertDelivery(api.pool, { ...row, integrationId: newId('intg'), status: 'pending' });

    const { integration: gone } = await remove(integration.id);

    expect(gone.deletedAt).not.toBeNull();
    const { rows } = await api.pool.query('select id, status, claimed_by from deliveries where id = any($1) order by id', [[pending, claimed, delivered, elsewhere]]);
    expect(Object.fromEntries(rows.map((one) => [one.id, one.status]))).toEqual({
      [pending]: 'canceled', [claimed]: 'canceled', [delivered]: 'delivered', [elsewhere]: 'pending',
    });
    expect(rows.find((one) => one.id === claimed)).toMatchObject({ claimed_by: null });
  });

  test('does not wait for a dispatcher that holds a row', async () => {
    const { integration } = await create({ formId, settings: webhook() });
    const row = { ...owner, formId, responseId: newId('resp'), integrationId: integration.id, status: 'pending' as const };
    const [held, free] = [await insertDelivery(api.pool, row), await insertDelivery(api.pool, row)];
    const client = await api.pool.connect();
    try {
      await client.query('begin');
      await client.query('select 1 from deliveries where id = $1 for update', [held]);
      await remove(integration.id);
      const { rows } = await api.pool.query('select id, status from deliveries where id = any($1)', [[held, free]]);
      expect(Object.fromEntries(rows.map((one) => [one.id, one.status]))).toEqual({ [held]: 'pending', [free]: 'canceled' });
    } finally {
      await client.query('rollback');
      client.release();
    }
  });

  test('takes it out of its form, and it cannot be changed any more', async () => {
    const { integration } = await create({ formId, settings: webhook() });
    await remove(integration.id);
    const data = await api.gql('query ($id: ID!) { form(id: $id) { integrations { id } } }', { id: formId }, owner.token);
    expect(data.form.integrations).toEqual([]);
    const notFound = [{ code: 'NOT_FOUND', path: ['id'] }];
    expect((await update({ id: integration.id, name: 'x' })).errors).toEqual(notFound);
    expect((await remove(integration.id)).errors).toEqual(notFound);
  });
});

test('an integration is for its organisation alone', async () => {
  const { integration } = await create({ formId, settings: webhook() });
  const version = await versionOf(owner.organizationId);
  expect((await update({ id: integration.id, paused: true }, stranger.token)).errors).toMatchObject([{ code: 'NOT_FOUND' }]);
  expect((await remove(integration.id, stranger.token)).errors).toMatchObject([{ code: 'NOT_FOUND' }]);
  expect(await api.gql('query ($id: ID!) { node(id: $id) { id } }', { id: integration.id }, stranger.token)).toEqual({ node: null });
  const { body } = await api.post({ query: 'query ($id: ID!) { form(id: $id) { integrations { id } } }', variables: { id: formId } }, { token: stranger.token });
  expect(body.errors).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }]);
  expect(await versionOf(owner.organizationId)).toBe(version);
});

test('an integration gets what is submitted after it was created, and nothing from before', async () => {
  const submit = () =>
    api.gql('mutation ($input: SubmitResponseInput!) { submitResponse(input: $input) { errors { message } } }', {
      input: { formId, answers: [{ key: 'age', value: 7 }] },
    });
  api.committed.length = 0;
  await submit();
  await create({ formId, settings: webhook() });
  await submit();
  const { integrations } = await integrationsOfForm(api.pool, { organizationId: owner.organizationId, formId });
  const [integration] = integrations.filter((one) => one.formId === formId);
  expect(api.committed.map((event) => integration && matchesEvent(integration, event))).toEqual([false, true]);
});

test('every provider tells what its settings are', async () => {
  const { providers } = await api.gql('{ providers { name title description settingsSchema } }');
  expect(providers).toContainEqual({
    name: 'webhook', title: 'Webhook', description: expect.any(String),
    settingsSchema: expect.objectContaining({ type: 'object', required: ['url'] }),
  });
});
