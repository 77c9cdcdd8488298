import { expect } from 'vitest';
import type { Id } from '../../src/events/id.ts';
import { startProduct, type TestProduct } from './product.ts';

// oxlint-disable-next-line typescript/no-explicit-any -- tests know what they asked for
type Answered = any;

/** The product with the fake provider; whoever uses it mocks `integrations/index.ts` by `withFake`. */
export interface FakeProduct extends TestProduct {
  /** Runs a mutation and answers `selection` of its payload; throws where there are errors. */
  run(name: string, input: object, selection: string): Promise<Answered>;
  newForm(): Promise<Id<'form'>>;
  connect(formId: string | null, settings?: object, more?: object): Promise<Id<'intg'>>;
  submit(formId: string, count: number): Promise<Id<'resp'>[]>;
  /** Fields of an integration. */
  integration(id: string, selection: string): Promise<Answered>;
  /** Resolves with the newest job of a kind, once nothing of that kind is left to do. */
  finished(integrationId: string, kind: string): Promise<{ id: Id<'job'>; status: string; reason: string | null; attempts: number }>;
  jobs(integrationId: string, kind: string): Promise<{ id: Id<'job'>; status: string; reason: string | null; attempts: number }[]>;
}

export async function startFakeProduct(...options: Parameters<typeof startProduct>): Promise<FakeProduct> {
  const product = await startProduct(...options);
  const { api, pipeline: { pool } } = product;
  const run: FakeProduct['run'] = (name, input, selection) => {
    const type = `${name.charAt(0).toUpperCase()}${name.slice(1)}Input`;
    return api.call(`mutation ($input: ${type}!) { ${name}(input: $input) { ${selection} errors { message path code } } }`, input as Record<string, unknown>);
  };
  const jobs: FakeProduct['jobs'] = async (integrationId, kind) =>
    (await pool.query('select id, status, reason, attempts from jobs where integration_id = $1 and kind = $2 order by id', [integrationId, kind])).rows;
  return {
    ...product, run, jobs,
    newForm: async () => (await run('createForm', { title: 'Survey', questions: [{ key: 'age', text: 'Age', kind: 'INTEGER' }] }, 'form { id }')).form.id,
    connect: async (formId, fake = {}, more = {}) => (await run('createIntegration', { formId, settings: { fake }, ...more }, 'integration { id }')).integration.id,
    submit: async (formId, count) => {
      const responses = Array.from({ length: count }, (_, index) => ({ formId, answers: [{ key: 'age', value: index }] }));
      const { results } = await run('submitResponses', { responses }, 'results { response { id } }');
      return results.map(({ response }: Answered) => response.id);
    },
    integration: (id, selection) => api.call(`{ node(id: "${id}") { ... on Integration { ${selection} } } }`),
    finished: async (integrationId, kind) => {
      await expect.poll(async () => (await jobs(integrationId, kind)).map(({ status }) => status).filter((status) => status === 'waiting' || status === 'running'), { timeout: 20_000, interval: 25 }).toEqual([]);
      const last = (await jobs(integrationId, kind)).at(-1);
      if (!last) throw new Error(`no ${kind} of ${integrationId}`);
      return last;
    },
    [Symbol.asyncDispose]: () => product[Symbol.asyncDispose](),
  };
}
