import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Id } from '../../src/events/id.ts';
import { createPublishedForms } from '../../src/forms/published-forms.ts';
import { rebuildEvents } from '../../src/responses/rebuild-events.ts';
import { startDeliveryApi, type DeliveryApi, type Owner } from '../support/delivery-api.ts';
import { hostileJson, hostileText, toJson } from '../support/hostile-values.ts';
import { expectSound } from '../support/sound-reply.ts';

let api: DeliveryApi;
let owner: Owner;
let formId: Id<'form'>;
let turn = 0;

beforeAll(async () => {
  api = await startDeliveryApi();
  owner = await api.newOwner();
  ({ id: formId } = await api.newForm(owner, [{ key: 'name', text: 'Name?', kind: 'LONG_TEXT' }, { key: 'size', text: 'Size?', kind: 'DECIMAL' }]));
});
afterAll(() => api[Symbol.asyncDispose]());

const fields = 'response { id clientId metadata respondent { name } answers { value text metadata question { key } } } errors { code message path }';
const submitOne = `mutation ($input: SubmitResponseInput!) { submitResponse(input: $input) { ${fields} } }`;
const submitMany = `mutation ($input: SubmitResponsesInput!) { submitResponses(input: $input) { results { ${fields} } errors { code message path } } }`;

/** Strings where the schema wants strings: so that a batch gets past its variables and each item is judged. */
const texts = hostileText.filter((value) => typeof value === 'string' && !value.startsWith('@@raw'));
const answer = fc.record({ key: fc.oneof(fc.constantFrom('name', 'size'), texts), value: fc.oneof(texts, hostileJson), metadata: hostileJson }, { requiredKeys: ['key'] });
const hostileItem = fc.record(
  { formId: fc.oneof({ weight: 9, arbitrary: fc.constant('') }, { weight: 1, arbitrary: texts }), answers: fc.array(answer, { maxLength: 2 }), clientId: texts, metadata: hostileJson, respondent: fc.record({ name: texts, mobile: texts }, { requiredKeys: [] }) },
  { requiredKeys: ['formId', 'answers'] },
).map((item) => ({ ...item, formId: item.formId === '' ? formId : item.formId }));
const storableItem = fc.record({
  name: fc.string({ unit: 'binary', maxLength: 60 }).map((text) => text.toWellFormed().replaceAll('\u0000', ' ')),
  size: fc.double({ noNaN: true, noDefaultInfinity: true }),
});
type Storable = { name: string; size: number };
const valid = ({ name, size }: Storable, clientId: string) => ({ formId, clientId, metadata: { constructor: name }, answers: [{ key: 'name', value: name, metadata: { a: [name] } }, { key: 'size', value: size }] });
const responses = (body: { data?: { submitResponses?: { results: unknown[] } } }): any[] => body.data?.submitResponses?.results ?? []; // oxlint-disable-line typescript/no-explicit-any -- tests know what they asked for

test('a hostile response changes nothing for those that come with it or beside it: each is taken once and reads back as it was sent', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(hostileItem, { minLength: 1, maxLength: 4 }), fc.array(storableItem, { minLength: 2, maxLength: 5 }), async (hostile, good) => {
      turn += 1;
      const together = good.map((item, index) => valid(item, `batch-${turn}-${index}`));
      const beside = good.map((item, index) => valid(item, `beside-${turn}-${index}`));
      const post = (query: string, input: unknown) => api.post(toJson({ query, variables: { input } }), { token: owner.token });
      const mixed = together.flatMap((item, index) => (hostile[index] ? [hostile[index], item] : [item]));
      const [batch, ...singles] = await Promise.all([post(submitMany, { responses: mixed }), ...hostile.map((item) => post(submitOne, item)), ...beside.map((item) => post(submitOne, item))]);
      for (const reply of [batch, ...singles]) expectSound(reply);

      const taken = singles.slice(hostile.length).map(({ body }) => body.data.submitResponse);
      // JSON nested past what the scalar takes is a fault of the variables: of the whole request, which then changes nothing.
      const inBatch = batch.body.data ? responses(batch.body).filter((_, index) => together.includes(mixed[index] as never)) : [];
      expect(inBatch).toHaveLength(batch.body.data ? together.length : 0);
      const sent = [...beside, ...(inBatch.length > 0 ? together : [])];
      for (const [index, { response, errors }] of [...taken, ...inBatch].entries()) {
        expect(errors).toEqual([]);
        await expectAsSent(response, sent[index]!);
      }
      const { rows } = await api.pool.query('select client_id from responses where client_id = any($1) order by 1', [[...together, ...beside].map(({ clientId }) => clientId)]);
      expect(rows.map((row) => row.client_id)).toEqual(sent.map(({ clientId }) => clientId).toSorted());
    }),
    { numRuns: 25 },
  );
  await expectSameBytes();
});

async function expectAsSent(response: any, sent: ReturnType<typeof valid>): Promise<void> { // oxlint-disable-line typescript/no-explicit-any -- tests know what they asked for
  const same = { clientId: sent.clientId, metadata: sent.metadata };
  expect(response).toMatchObject(same);
  const { node } = await api.gql('query ($id: ID!) { node(id: $id) { ... on Response { clientId metadata answers { value question { key } } } } }', { id: response.id }, owner.token);
  expect(node).toMatchObject(same);
  for (const answers of [response.answers, node.answers]) {
    for (const { key, value } of sent.answers) {
      const found = answers.find((one: { question: { key: string } }) => one.question.key === key)?.value;
      if (value !== '' && String(value).trim() !== '') expect(found).toEqual(value === 0 ? 0 : value);
    }
  }
}

/** All events of what was accepted, hostile or not, come back from their rows as they went out. */
async function expectSameBytes(): Promise<void> {
  expect(api.committed.length).toBeGreaterThan(50);
  const deps = { pool: api.pool, forms: createPublishedForms({ pool: api.pool }) };
  const entries = api.committed.map((event) => ({
    eventId: event.id, type: event.type, organizationId: event.organizationId, formId: event.formId, responseId: event.responseId, position: event.position, integrationsVersion: event.integrationsVersion,
  }));
  const rebuilt = await rebuildEvents(deps, entries);
  expect(rebuilt.map(({ body }) => Buffer.from(body).toString())).toEqual(api.committed.map(({ body }) => Buffer.from(body).toString()));
}
