import fc from 'fast-check';
import { getNamedType, isLeafType, type GraphQLField, type GraphQLSchema } from 'graphql';
import type { DeliveryApi } from './delivery-api.ts';
import { toJson, toLiteral, valuesOf, type Hostility, type Plausible } from './hostile-values.ts';
import { fillLists, type Lists } from './lists.ts';
import { objectTypes, selectionOf } from './schema-walk.ts';
import { expectSound } from './sound-reply.ts';

/** A field with arguments, and the fields from the root to it. */
export interface Target {
  name: string;
  operation: 'query' | 'mutation';
  path: readonly string[];
  field: GraphQLField<unknown, unknown>;
}

/** What the arguments are taken from: real ids and values that would do. */
const plausible: Plausible = {
  username: ['somebody'], email: ['a@example.org'], password: ['correct horse'], newPassword: ['correct horse'], currentPassword: ['correct horse'],
  mobile: ['+14155550100'], title: ['Survey'], text: ['Food?', 'Why?'], pattern: ['[a-z]+'], url: ['https://example.com/hook'], expectedRevision: [1, 2], position: [0, 1],
  earliest: ['2026-01-01'], latest: ['2026-12-31'], minLength: [1], maxLength: [20], maxResponses: [3, 1_000], submittedAt: ['2026-10-01T06:30:00+05:30'], lastModifiedAt: ['2026-10-01T06:30:00Z'],
  kind: ['TEXT', 'LONG_TEXT', 'INTEGER', 'BOOLEAN', 'DATE'], role: ['VIEWER', 'EDITOR'], locale: ['en', 'de-CH'], visibleWhen: ['true'], name: ['known', 'likely', 'sure'], expression: ["food != 'Bread'"], keepOldFor: ['0s', '1h'],
  definition: [{ formwire: 1, title: 'Survey', questions: [{ key: 'food', text: 'Food?', kind: 'TEXT' }] }], first: [2], after: [null], before: [null], last: [null],
};

/** Not those of the targets before: one in a hundred would be the caller's own, and the rest refused before anything is read. */
const ownIds = `
  with own as (select id from forms where organization_id = $1)
  select 'form' as table, id from own union all select 'question', id from questions where form_id in (select id from own)
  union all select 'choice', id from choices where question_id in (select id from questions where form_id in (select id from own))
  union all select 'section', id from sections where form_id in (select id from own) union all select 'response', id from responses where form_id in (select id from own)
  union all select 'integration', id from integrations where organization_id = $1 union all select 'delivery', id from deliveries where organization_id = $1
  union all select 'job', id from jobs where organization_id = $1 union all select 'replay', id from replays where organization_id = $1
  union all select 'apiKey', id from api_keys where organization_id = $1 union all select 'invitation', id from invitations where organization_id = $1
  union all select 'member', id from memberships where organization_id = $1 union all select 'user', user_id from memberships where organization_id = $1`;

/** Objects of one organisation to be hostile to, and how to be. */
export async function aimAt(api: DeliveryApi): Promise<{ filled: Lists; hostility: Hostility }> {
  const filled = await fillLists(api);
  for (const list of Object.values(filled.lists)) while ((await list.rows()).length < 2) await list.grow();
  const { rows } = await api.pool.query<{ table: string; id: string }>(ownIds, [filled.owner.organizationId]);
  const of = (table: string) => rows.filter((row) => row.table === table).map(({ id }) => id);
  const ids = rows.map(({ id }) => id);
  const byName: Plausible = {
    formId: of('form'), questionId: of('question'), responseId: of('response'), familyId: of('response'), integrationId: of('integration'), deliveryIds: [of('delivery')], questionIds: [of('question')], formIds: [of('form')], sectionId: of('section'),
    key: ['food'], question: ['Food?'], value: ['Rice', 'Bread'], clientId: ['c1', 'c2'], id: ids,
  };
  return { filled, hostility: { plausible: { ...plausible, ...byName }, ids, oneIn: 12 } };
}

/** Every field of the schema that takes arguments. */
export function targets(schema: GraphQLSchema, filled: Lists): Target[] {
  return objectTypes(schema).flatMap((parent) =>
    Object.values(parent.getFields()).filter((field) => field.args.length > 0 && parent.name !== 'Subscription').map((field): Target => {
      const name = `${parent.name}.${field.name}`;
      const path = ['Query', 'Mutation'].includes(parent.name) ? [] : (filled.lists[name]?.path ?? filled.nodes[parent.name]);
      if (!path) throw new Error(`${name} takes arguments, and nothing in test/support/lists.ts leads to a ${parent.name}`);
      return { name, operation: parent.name === 'Mutation' ? 'mutation' : 'query', path, field };
    }),
  );
}

/** Requests for a target with hostile arguments: as variables, or written into the query. */
export function requestsFor(target: Target, hostility: Hostility): fc.Arbitrary<string> {
  const { field, operation, path } = target;
  const named = getNamedType(field.type);
  const selected = isLeafType(named) ? '' : `{ ${selectionOf(named, named.name.endsWith('Connection') ? 3 : 2)} }`;
  const around = (args: string): string => path.reduceRight((inner, one) => `${one} { ${inner} }`, `${field.name}(${args}) ${selected}`);
  const values = fc.record(Object.fromEntries(field.args.map(({ name, type }) => [name, valuesOf(type, name, aimed(target, hostility))])));
  return fc.tuple(values, fc.integer({ min: 0, max: 3 })).map(([given, way]) => {
    if (way === 0) return JSON.stringify({ query: `${operation} { ${around(field.args.map(({ name, type }) => `${name}: ${toLiteral(given[name], type)}`).join(', '))} }` });
    const declared = field.args.map(({ name, type }) => `$${name}: ${String(type)}`).join(', ');
    return toJson({ query: `${operation} (${declared}) { ${around(field.args.map(({ name }) => `${name}: $${name}`).join(', '))} }`, variables: given });
  });
}

/** `id` is mostly of the kind that the mutation is about. */
function aimed({ name }: Target, hostility: Hostility): Hostility {
  const prefix = [['Form', 'form'], ['Question', 'q'], ['Response', 'resp'], ['Integration', 'intg'], ['Delivery', 'dlv'], ['ApiKey', 'key'], ['Member', 'mem'], ['Invitation', 'inv'], ['Section', 'sec'], ['Backfill', 'job'], ['Replay', 'rpl'], ['Secret', 'intg']].find(([kind]) => name.endsWith(kind!))?.[1];
  const ids = hostility.ids.filter((id) => id.startsWith(`${prefix}_`));
  return ids.length === 0 ? hostility : { ...hostility, plausible: { ...hostility.plausible, id: ids } };
}

/** Sends hostile arguments to a target; answers how many were taken without an error. */
export async function attack(api: DeliveryApi, options: { target: Target; hostility: Hostility; token: string; numRuns: number; seed?: number }): Promise<number> {
  const { target, hostility, token, numRuns, seed } = options;
  let taken = 0;
  await fc.assert(
    fc.asyncProperty(requestsFor(target, hostility), fc.integer({ min: 0, max: 5 }), async (body, who) => {
      const reply = await api.post(body, who === 0 ? {} : { token });
      expectSound(reply);
      const answered = reply.body.data?.[target.field.name];
      if (!reply.body.errors && (answered?.errors ?? []).length === 0) taken += 1;
    }),
    { numRuns, ...(seed !== undefined && { seed }) },
  );
  return taken;
}
