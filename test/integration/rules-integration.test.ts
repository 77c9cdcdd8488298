import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Id } from '../../src/events/id.ts';
import { startDeliveryApi, type DeliveryApi, type Owner } from '../support/delivery-api.ts';

let api: DeliveryApi;
let owner: Owner;
let formId: Id<'form'>;

beforeAll(async () => {
  api = await startDeliveryApi();
  owner = await api.newOwner();
});
afterAll(() => api[Symbol.asyncDispose]());
beforeEach(async () => {
  formId = (await api.newForm(owner, [{ key: 'income', text: 'Income?', kind: 'INTEGER' }, { key: 'spent', text: 'Spent?', kind: 'DECIMAL' }])).id;
});

const fields = 'integration { id events status settings } errors { code message path }';
const create = async (input: object) =>
  (await api.gql(`mutation ($input: CreateIntegrationInput!) { createIntegration(input: $input) { ${fields} } }`, { input }, owner.token)).createIntegration;
const update = async (input: object) =>
  (await api.gql(`mutation ($input: UpdateIntegrationInput!) { updateIntegration(input: $input) { ${fields} } }`, { input }, owner.token)).updateIntegration;
const remove = async (id: string) =>
  (await api.gql('mutation ($input: DeleteIntegrationInput!) { deleteIntegration(input: $input) { integration { id } } }', { input: { id } }, owner.token)).deleteIntegration;

const affordable = { name: 'affordable', expression: 'spent <= income', message: 'You have spent {{ spent }} of {{ income }}.' };
const settings = (...rules: object[]) => ({ rules: { rules: rules.length > 0 ? rules : [affordable] } });
const intakeVersion = async (): Promise<number> => (await api.pool.query('select intake_version from forms where id = $1', [formId])).rows[0].intake_version;

describe('rules', () => {
  test('are saved with their defaults, and get no events', async () => {
    const { integration, errors } = await create({ formId, settings: settings() });
    expect(errors).toEqual([]);
    expect(integration).toMatchObject({
      status: 'ACTIVE', events: [], settings: { rules: [{ ...affordable, severity: 'flag', missingNumbers: 'zero' }] },
    });
  });

  test('that ask for events are refused, when they are made and later', async () => {
    const fault = [{ code: 'INVALID_INPUT', path: ['events'], message: expect.stringMatching(/gets no events/) }];
    expect((await create({ formId, events: ['RESPONSE_CREATED'], settings: settings() })).errors).toEqual(fault);
    const { integration } = await create({ formId, settings: settings() });
    expect((await update({ id: integration.id, events: ['RESPONSE_CREATED'] })).errors).toEqual(fault);
  });

  test('are for one form', async () => {
    expect((await create({ settings: settings() })).errors).toEqual([{ code: 'INVALID_INPUT', path: ['formId'], message: expect.stringMatching(/^Name the form/) }]);
  });

  test('that do not fit the form are refused with every fault at its place, when they are made and later', async () => {
    const unfit = settings(affordable, { name: 'b', expression: 'income', message: '{{ incom }}' }, { name: 'c', expression: 'spend > 0', message: 'x' }, { name: 'd', expression: 'spent > 0', message: '{{ incom }}' });
    const faults = [
      { code: 'INVALID_INPUT', path: ['settings', 'rules', 'rules', '1', 'expression'], message: expect.stringMatching(/true or false/) },
      { code: 'INVALID_INPUT', path: ['settings', 'rules', 'rules', '2', 'expression'], message: expect.stringMatching(/"spend"/) },
      { code: 'INVALID_INPUT', path: ['settings', 'rules', 'rules', '3', 'message'], message: expect.stringMatching(/"incom"/) },
    ];
    expect((await create({ formId, settings: unfit })).errors).toEqual(faults);
    const { integration } = await create({ formId, settings: settings() });
    expect((await update({ id: integration.id, name: 'New', settings: unfit })).errors).toEqual(faults);
    const { node } = await api.gql('query ($id: ID!) { node(id: $id) { ... on Integration { name settings } } }', { id: integration.id }, owner.token);
    expect(node).toEqual({ name: 'Rules', settings: integration.settings });
  });

  test('have all that was checked before them checked again: each change is another intake of the form', async () => {
    const { integration } = await create({ formId, settings: settings() });
    expect(await intakeVersion()).toBe(1);
    await update({ id: integration.id, paused: true });
    expect(await intakeVersion()).toBe(2);
    await update({ id: integration.id, settings: settings({ ...affordable, severity: 'REFUSE' }) });
    expect(await intakeVersion()).toBe(3);
    await remove(integration.id);
    expect(await intakeVersion()).toBe(4);
  });

  test('are the only ones that do: a webhook leaves the intake alone', async () => {
    const { integration } = await create({ formId, settings: { webhook: { url: 'https://example.com/hooks' } } });
    await remove(integration.id);
    expect(await intakeVersion()).toBe(0);
  });

  test('of one form are in five integrations at most', async () => {
    for (let count = 1; count <= 5; count += 1) expect((await create({ formId, settings: settings() })).errors).toEqual([]);
    expect((await create({ formId, settings: settings() })).errors).toMatchObject([{ code: 'TOO_MANY', path: ['formId'] }]);
    expect((await create({ formId, settings: { webhook: { url: 'https://example.com/hooks' } } })).errors).toEqual([]);
  });

  test('cannot be made for a version of the form that is being replaced', async () => {
    const client = await api.pool.connect();
    try {
      await client.query('begin');
      await client.query('select 1 from forms where id = $1 for update', [formId]);
      const created = create({ formId, settings: settings() });
      const waiting = `select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
      await expect.poll(async () => (await api.pool.query(waiting)).rowCount).toBe(1);
      await client.query('rollback');
      expect((await created).errors).toEqual([]);
    } finally {
      client.release();
    }
  });
});
