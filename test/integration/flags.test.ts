import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { providerNamed } from '../../integrations/index.ts';
import type { Provider } from '../../integrations/provider.ts';
import type { Json } from '../../src/events/canonical-json.ts';
import { flagsEventIdOf, type Id } from '../../src/events/id.ts';
import { createPublishedForms, type PublishedForm } from '../../src/forms/published-forms.ts';
import { createResponseChecks } from '../../src/integrations/response-checks.ts';
import { createLog, silentLog } from '../../src/log.ts';
import { amendResponse } from '../../src/responses/amend-response.ts';
import { rebuildEvents, type EventEntry } from '../../src/responses/rebuild-events.ts';
import { createSubmitter } from '../../src/responses/submit-response.ts';
import { openChecks } from '../support/checks.ts';
import { startDeliveryApi, type DeliveryApi, type Owner } from '../support/delivery-api.ts';
import { openOtherSubmitter } from '../support/forms-api.ts';
import { editorOf } from '../support/pipeline.ts';
import { testSealer } from '../support/sealer.ts';

let api: DeliveryApi;
let owner: Owner;
let formId: Id<'form'>;

beforeAll(async () => {
  api = await startDeliveryApi();
  owner = await api.newOwner();
});
afterAll(() => api[Symbol.asyncDispose]());
beforeEach(async () => {
  formId = await newForm();
  api.committed.length = 0;
});

const newForm = async (questions: object[] = [income, spent, note]): Promise<Id<'form'>> => (await api.newForm(owner, questions)).id;
const income = { key: 'income', text: 'Income?', kind: 'INTEGER' };
const spent = { key: 'spent', text: 'Spent?', kind: 'DECIMAL' };
const note = { key: 'note', text: 'Note?', kind: 'TEXT' };

const affordable = { name: 'affordable', expression: 'spent <= income', message: 'You have spent {{ spent }} of {{ income }}.' };
const refusing = { name: 'sane', expression: 'spent < 1000.0', severity: 'REFUSE', message: '{{ spent }} is too much.' };

const call = async (name: string, input: object, selection: string) => {
  const type = `${name.charAt(0).toUpperCase()}${name.slice(1)}Input`;
  return (await api.gql(`mutation ($input: ${type}!) { ${name}(input: $input) { ${selection} errors { code message path } } }`, { input }, owner.token))[name];
};
const connect = async (...rules: object[]): Promise<Id<'intg'>> => (await call('createIntegration', { formId, settings: { rules: { rules } } }, 'integration { id }')).integration.id;
const change = (input: object) => call('updateIntegration', input, 'integration { id }');

const response = 'response { id revision flags { rule message keys integrationId } }';
const answersOf = (values: Record<string, Json>) => Object.entries(values).map(([key, value]) => ({ key, value }));
/** Without an account, as respondents do. */
const submit = async (values: Record<string, Json>, members: object = {}) => {
  const input = { formId, answers: answersOf(values), ...members };
  const { submitResponse } = await api.gql(`mutation ($input: SubmitResponseInput!) { submitResponse(input: $input) { ${response} errors { code message path } } }`, { input });
  return submitResponse;
};
const amend = (responseId: string, expectedRevision: number, values: Record<string, Json>) =>
  call('amendResponse', { responseId, expectedRevision, answers: answersOf(values) }, response);

const typesCommitted = () => api.committed.map(({ type }) => type);
const countResponses = async (): Promise<number> => (await api.pool.query('select 1 from responses where form_id = $1', [formId])).rowCount ?? 0;

describe('a response that breaks a rule', () => {
  test('is accepted with a flag, which whoever sent it is shown', async () => {
    const integrationId = await connect(affordable);
    const { response: flagged, errors } = await submit({ income: 10, spent: 12.5 });
    expect(errors).toEqual([]);
    expect(flagged.flags).toEqual([{ rule: 'affordable', message: 'You have spent 12.5 of 10.', keys: ['spent', 'income'], integrationId }]);
    expect((await submit({ income: 10, spent: 9 })).response.flags).toEqual([]);
    const { response: read } = await api.gql(`query ($id: ID!) { response(id: $id) { flags { rule message keys integrationId } } }`, { id: flagged.id }, owner.token);
    expect(read.flags).toEqual(flagged.flags);
  });

  test('is two events, the second with the same revision in it, and both can be made again to the byte', async () => {
    await connect(affordable);
    await submit({ income: 10, spent: 12.5 });
    expect(typesCommitted()).toEqual(['response.created', 'response.flagged']);
    const [created, flagged] = api.committed;
    expect(flagged!.position).toBeGreaterThan(created!.position);
    const [one, other] = api.committed.map(({ body }) => JSON.parse(Buffer.from(body).toString()));
    expect(other).toEqual({ ...one, type: 'response.flagged' });
    expect(one.data.response.flags).toMatchObject([{ rule: 'affordable' }]);

    const { rows } = await api.pool.query<EventEntry>(
      `select event_id as "eventId", type, organization_id as "organizationId", form_id as "formId", response_id as "responseId",
              position::float8 as position, integrations_version as "integrationsVersion"
       from outbox where form_id = $1 order by outbox.position`,
      [formId],
    );
    const rebuilt = await rebuildEvents({ pool: api.pool, forms: api.published }, rows);
    expect(rebuilt.map((event) => ({ ...event, body: Buffer.from(event.body).toString() }))).toEqual(
      api.committed.map((event) => ({ ...event, body: Buffer.from(event.body).toString() })),
    );
  });

  test('is answered its flags again when it is sent again, whatever the rules are by then, and nothing happens', async () => {
    const integrationId = await connect(affordable);
    const { response: first } = await submit({ income: 10, spent: 12 }, { clientId: 'again' });
    await change({ id: integrationId, paused: true });
    expect((await submit({ income: 10, spent: 12 }, { clientId: 'again' })).response).toEqual(first);
    expect(typesCommitted()).toEqual(['response.created', 'response.flagged']);
  });

  test('is one of many, and the others come in without flags', async () => {
    await connect(affordable, refusing);
    const spendings = [1, 20, 2_000, 3];
    const responses = spendings.map((value) => ({ formId, answers: answersOf({ income: 10, spent: value }) }));
    const { results } = await call('submitResponses', { responses }, `results { ${response} errors { code } }`);
    expect(results.map((one: any) => one.response?.flags.length ?? one.errors[0].code)).toEqual([0, 1, 'RULE_BROKEN', 0]); // oxlint-disable-line typescript/no-explicit-any -- as answered
    expect(typesCommitted().toSorted()).toEqual(['response.created', 'response.created', 'response.created', 'response.flagged']);
  });

  test('that refuses is not accepted: the fault stands at the answer', async () => {
    await connect(refusing);
    const { response: none, errors } = await submit({ note: 'x', spent: 5_000 });
    expect(none).toBeNull();
    expect(errors).toEqual([{ code: 'RULE_BROKEN', message: '5000 is too much.', path: ['answers', '1'] }]);
    expect(await countResponses()).toBe(0);
    expect(typesCommitted()).toEqual([]);
  });

  test('that refuses for what was not answered has its fault at the answers', async () => {
    await connect({ ...refusing, expression: 'income > 0' });
    expect((await submit({ note: 'x' })).errors).toMatchObject([{ code: 'RULE_BROKEN', path: ['answers'] }]);
  });

  test('and has other faults is told all of them at once; answers that are at fault are no matter for rules', async () => {
    await connect(refusing, { ...refusing, name: 'positive', expression: 'income > 0' });
    const { errors } = await submit({ income: -1, spent: 5_000 }, { collector: { submittedAt: 'noon' } });
    expect(errors).toMatchObject([
      { code: 'INVALID_INPUT', path: ['collector', 'submittedAt'] },
      { code: 'RULE_BROKEN', path: ['answers', '1'] },
      { code: 'RULE_BROKEN', path: ['answers', '0'] },
    ]);
    const { errors: answers } = await submit({ income: 'many', spent: 5_000 });
    expect(answers).toMatchObject([{ code: 'ANSWER_INVALID' }]);
  });

  test('gets a message that can be stored, whatever the answers make of it', async () => {
    await connect({ ...affordable, message: '{{ note | url_decode }}' });
    expect((await submit({ income: 1, spent: 2, note: 'a%00b' })).response.flags).toMatchObject([{ message: 'ab' }]);
  });

  test('has no more text in its flags than fits, and no flag less', async () => {
    const rules = Array.from({ length: 50 }, (_, index) => ({ ...affordable, name: `rule_${index}`, message: '{{ note }}' }));
    await connect(...rules);
    const { flags } = (await submit({ income: 1, spent: 2, note: 'x'.repeat(1_990) })).response;
    expect(flags).toHaveLength(50);
    expect(flags.map(({ message }: { message: string }) => message.length).reduce((sum: number, length: number) => sum + length, 0)).toBeLessThan(36_000);
    expect(flags[49].message).toBe('The rule "rule_49" does not hold.');
  });

  test('by an answer to a question that is hidden does not break it: that one was not answered', async () => {
    formId = await newForm([income, { ...spent, visibleWhen: 'income > 100' }]);
    await connect({ ...affordable, expression: 'spent >= 1.0', missingNumbers: 'ZERO', message: 'x' });
    expect((await submit({ income: 10 })).response.flags).toMatchObject([{ rule: 'affordable' }]);
    expect((await submit({ income: 10, spent: 5 })).errors).toMatchObject([{ code: 'ANSWER_HIDDEN' }]);
    expect((await submit({ income: 101, spent: 5 })).response.flags).toEqual([]);
  });
});

test('a revision keeps what its flags’ event was: its id and its place, or that there was none', async () => {
  await connect(affordable);
  const { response: first } = await submit({ income: 10, spent: 12 });
  await amend(first.id, 1, { note: 'Seen.' });
  await submit({ income: 10, spent: 8 }, { familyId: first.id });
  const { rows } = await api.pool.query('select id, flags_position::float8 as place from responses where family_id = $1 order by revision', [first.id]);
  const { rows: events } = await api.pool.query(
    `select event_id as id, position::float8 as place from outbox where form_id = $1 and type in ('response.flagged', 'response.cleared') order by outbox.position`,
    [formId],
  );
  expect(events).toHaveLength(2);
  expect(rows.map(({ place }) => place)).toEqual([events[0].place, null, events[1].place]);
  expect(events.map(({ id }) => id)).toEqual([rows[0].id, rows[2].id].map(flagsEventIdOf));
});

describe('amending a flagged response', () => {
  test('so that the rule holds clears it, and tells so', async () => {
    await connect(affordable);
    const { response: first } = await submit({ income: 10, spent: 12 });
    const { response: second } = await amend(first.id, 1, { spent: 8 });
    expect(second).toMatchObject({ revision: 2, flags: [] });
    expect(typesCommitted()).toEqual(['response.created', 'response.flagged', 'response.amended', 'response.cleared']);
    const cleared = JSON.parse(Buffer.from(api.committed[3]!.body).toString());
    expect(cleared).toMatchObject({ type: 'response.cleared', data: { response: { id: second.id, revision: 2, flags: [] } } });
  });

  test('without touching what is wrong tells nothing new; with another wrong number it does', async () => {
    await connect(affordable);
    const { response: first } = await submit({ income: 10, spent: 12 });
    expect((await amend(first.id, 1, { note: 'Seen.' })).response.flags).toEqual(first.flags);
    expect((await amend(first.id, 2, { spent: 13 })).response.flags).toMatchObject([{ message: 'You have spent 13 of 10.' }]);
    expect(typesCommitted()).toEqual(['response.created', 'response.flagged', 'response.amended', 'response.amended', 'response.flagged']);
  });

  test('so that a rule refuses it changes nothing', async () => {
    await connect(affordable, refusing);
    const { response: first } = await submit({ income: 10, spent: 12 });
    expect((await amend(first.id, 1, { note: 'x', spent: 2_000 })).errors).toEqual([{ code: 'RULE_BROKEN', message: '2000 is too much.', path: ['answers', '1'] }]);
    expect(await countResponses()).toBe(1);
  });

  test('by sending it again as its family does the same', async () => {
    await connect(affordable);
    const { response: first } = await submit({ income: 10, spent: 12 });
    const { response: second } = await submit({ income: 10, spent: 9 }, { familyId: first.id });
    expect(second).toMatchObject({ revision: 2, flags: [] });
    expect(typesCommitted()).toEqual(['response.created', 'response.flagged', 'response.created', 'response.cleared']);
  });

  test('its flags go with it when it is erased', async () => {
    await connect(affordable);
    const { response: first } = await submit({ income: 10, spent: 12 });
    const { response: erased } = await call('eraseResponse', { responseId: first.id }, 'response { flags { rule } }');
    expect(erased.flags).toEqual([]);
    expect((await api.pool.query('select flags from responses where id = $1', [first.id])).rows).toEqual([{ flags: null }]);
    expect(typesCommitted()).toEqual(['response.created', 'response.flagged', 'response.deleted']);
  });

  test('whichever way and however often, each change of its flags is one event, and nothing else is', async () => {
    const step = fc.record({ resubmitted: fc.boolean(), spent: fc.integer({ min: 8, max: 12 }) });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 8 }), async ([begin, ...steps]) => {
        formId = await newForm();
        await connect(affordable);
        api.committed.length = 0;
        const { response: first } = await submit({ income: 10, spent: begin!.spent });
        for (const [index, { resubmitted, spent: value }] of steps.entries()) {
          const done = resubmitted ? await submit({ income: 10, spent: value }, { familyId: first.id }) : await amend(first.id, index + 1, { spent: value });
          expect(done.errors).toEqual([]);
        }
        const flagOf = (value: number | undefined) => (value !== undefined && value > 10 ? value : null);
        const spendings = [begin, ...steps].map((one) => one!.spent);
        const expected = spendings.flatMap((value, index) => {
          const [now, before] = [flagOf(value), flagOf(spendings[index - 1])];
          const changed = index > 0 && !steps[index - 1]!.resubmitted ? 'response.amended' : 'response.created';
          return now === before ? [changed] : [changed, now === null ? 'response.cleared' : 'response.flagged'];
        });
        expect(typesCommitted()).toEqual(expected);
      }),
      { numRuns: 25 },
    );
  });

  test('by many at once, of several processes, has the events that its revisions call for', async () => {
    await connect(affordable);
    await using other = openOtherSubmitter(api.databaseUrl);
    const { response: first } = await submit({ income: 10, spent: 12 });
    const again = (value: number) => ({ formId, familyId: first.id, answers: answersOf({ income: 10, spent: value }) });
    await Promise.all(
      [9, 11, 9, 12, 11, 9, 12, 10, 9, 11].map(async (value, index) => {
        if (index % 3 === 0) await submit({ income: 10, spent: value }, { familyId: first.id });
        else if (index % 3 === 1) await other.submitter.submit(again(value));
        else await amend(first.id, index % 5, { spent: value });
      }),
    );
    const { rows: revisions } = await api.pool.query<{ id: string; flags: unknown }>('select id, flags from responses where family_id = $1 order by revision', [first.id]);
    const { rows: events } = await api.pool.query<{ id: string; type: string }>(
      `select response_id as id, type from outbox where form_id = $1 and type in ('response.flagged', 'response.cleared') order by position`,
      [formId],
    );
    expect(revisions.length).toBeGreaterThan(7);
    const said = revisions.map(({ flags }) => JSON.stringify(flags));
    const expected = revisions.flatMap(({ id, flags }, index) =>
      said[index] === (said[index - 1] ?? 'null') ? [] : [{ id, type: flags === null ? 'response.cleared' : 'response.flagged' }],
    );
    expect(events).toEqual(expected);
    expect(events.length).toBeGreaterThan(1);
  });
});

describe('a change of rules', () => {
  test('holds for the next response of every process at once, though none was told', async () => {
    await using other = openOtherSubmitter(api.databaseUrl);
    const elsewhere = async () => (await other.submitter.submit({ formId, answers: answersOf({ income: 10, spent: 12 }) })).flags?.map(({ message }) => message) ?? [];
    expect(await elsewhere()).toEqual([]);
    const id = await connect(affordable);
    expect(await elsewhere()).toEqual(['You have spent 12 of 10.']);
    await change({ id, settings: { rules: { rules: [{ ...affordable, message: 'Too much.' }] } } });
    expect(await elsewhere()).toEqual(['Too much.']);
    await change({ id, paused: true });
    expect(await elsewhere()).toEqual([]);
    await change({ id, paused: false });
    expect(await elsewhere()).toEqual(['Too much.']);
    await call('deleteIntegration', { id }, 'integration { id }');
    expect(await elsewhere()).toEqual([]);
  });

  test('in the middle of an amendment has it checked once more', async () => {
    const { response: first } = await submit({ income: 10, spent: 8 });
    const before = await api.published.refresh(formId);
    await connect(affordable);
    const looks = [before];
    const forms = { refresh: async (id: string) => looks.shift() ?? api.published.refresh(id) };
    const present = openChecks(api.pool);
    // a process that looked right before the change knows of no rules
    const checks = { of: (form: PublishedForm) => (form === before ? () => [] : present.of(form)) };
    const deps = { pool: api.pool, forms, checks, onCommitted: () => undefined };
    const input = { responseId: first.id, expectedRevision: 1, answers: answersOf({ spent: 12 }) };
    const amended = await amendResponse(deps, { viewer: editorOf(owner.organizationId), input });
    expect(looks).toEqual([]);
    expect(amended.flags).toMatchObject([{ rule: 'affordable' }]);
  });

  test('refuses nobody whom the present rules take', async () => {
    await using other = openOtherSubmitter(api.databaseUrl);
    const id = await connect(refusing);
    const elsewhere = () => other.submitter.submit({ formId, answers: answersOf({ spent: 5_000 }) });
    await expect(elsewhere()).rejects.toThrow('5000 is too much.');
    await change({ id, paused: true });
    expect((await elsewhere()).flags).toBeNull();
  });

  test('and of the form: a rule whose question is gone flags every response', async () => {
    await connect(affordable);
    const { form } = await api.gql('query ($id: ID!) { form(id: $id) { questions { id key } } }', { id: formId });
    await call('removeQuestion', { id: form.questions.find((one: { key: string }) => one.key === 'spent').id }, 'form { id }');
    expect((await submit({ income: 10 })).response.flags).toMatchObject([{ rule: 'affordable', message: expect.stringMatching(/cannot be checked any more/), keys: [] }]);
  });

  test('a response is checked by each of the form’s rules, in the order they were connected', async () => {
    await connect(affordable);
    await connect({ ...affordable, name: 'other' });
    expect((await submit({ income: 10, spent: 12 })).response.flags.map(({ rule }: { rule: string }) => rule)).toEqual(['affordable', 'other']);
  });
});

describe('what cannot be checked', () => {
  const unchecked = async (integrationId: string) => {
    const { flags } = (await submit({ income: 10, spent: 1 })).response;
    expect(flags).toEqual([{ rule: 'unchecked', message: expect.stringMatching(/^"Rules" could not check this response: /), keys: [], integrationId }]);
    return flags[0].message;
  };
  /** As an older or a newer program has left it. */
  const rewrite = (id: string, column: 'settings' | 'provider', value: unknown) =>
    api.pool.query(`with f as (update forms set intake_version = intake_version + 1 where id = $3) update integrations set ${column} = $2 where id = $1`, [id, value, formId]);

  test('since its settings cannot be read any more is flagged', async () => {
    const id = await connect(affordable);
    await rewrite(id, 'settings', JSON.stringify({ rules: 'all' }));
    expect(await unchecked(id)).toMatch(/settings cannot be read/);
  });

  test('since its provider was taken out is flagged, until it is paused', async () => {
    const id = await connect(affordable);
    await rewrite(id, 'provider', 'gone');
    expect(await unchecked(id)).toMatch(/provider gone is not installed/);
    await change({ id, paused: true });
    expect((await submit({ income: 10, spent: 1 })).response.flags).toEqual([]);
  });

  test('a webhook whose provider was taken out is no check', async () => {
    const { integration } = await call('createIntegration', { formId, settings: { webhook: { url: 'https://example.com' } } }, 'integration { id }');
    await rewrite(integration.id, 'provider', 'gone');
    expect((await submit({ income: 10, spent: 1 })).response.flags).toEqual([]);
  });

  const throwing = (member: 'check' | 'prepare'): Provider => {
    const fail = (): never => {
      throw new TypeError('a bug');
    };
    return {
      name: 'rules', title: 'Rules', description: '', settings: z.unknown(), limits: { batchSize: 1, concurrency: 1, timeoutMs: 1 },
      prepareCheck: member === 'check' ? () => fail : fail,
    };
  };
  test.each(['check', 'prepare'] as const)('since our own %s throws is flagged and logged, and the response is kept', async (member) => {
    const id = await connect(affordable);
    const log = createLog('silent');
    const failures: unknown[] = [];
    log.error = ((details: object, name: string) => void failures.push([name, details])) as typeof log.error;
    const forms = createPublishedForms({ pool: api.pool });
    const checks = createResponseChecks({ pool: api.pool, providerNamed: () => throwing(member), sealer: testSealer, log });
    const submitter = createSubmitter({ pool: api.pool, writePool: api.pool, forms, checks, onCommitted: () => undefined });
    const { flags } = await submitter.submit({ formId, answers: answersOf({ income: 10, spent: 1 }) });
    expect(flags).toEqual([{ rule: 'unchecked', message: '"Rules" could not check this response: a fault of this server, which is in its log.', keys: [], integrationId: id }]);
    expect(failures).toMatchObject([['response.check_failed', { integrationId: id, formId }]]);
  });

  test('since the database does not answer is not accepted unchecked', async () => {
    await connect(affordable);
    const pool = { query: () => Promise.reject(new Error('away')) } as never;
    const checks = createResponseChecks({ pool, providerNamed, sealer: testSealer, log: silentLog });
    const submitter = createSubmitter({ pool: api.pool, writePool: api.pool, forms: createPublishedForms({ pool: api.pool }), checks, onCommitted: () => undefined });
    await expect(submitter.submit({ formId, answers: [] })).rejects.toThrow('away');
    expect(await countResponses()).toBe(0);
  });
});
