import { createPublishedForms } from '../../src/forms/published-forms.ts';
import { createSettled, eventOrder } from '../../src/outbox/settled.ts';
import { createResponsesService } from '../../src/responses/responses.service.ts';
import { createSubmitter, type Submitter } from '../../src/responses/submit-response.ts';
import { startTestApi, type TestApi, type TestApiOptions } from './api.ts';
import { openChecks } from './checks.ts';
import { openTestPool } from './database.ts';

type Input = Record<string, unknown>;

// oxlint-disable-next-line typescript/no-explicit-any -- tests know what they asked for
type Answered = any;

/** The API with forms and responses, without NATS, and somebody who owns forms. */
export interface FormsApi extends AsyncDisposable {
  api: TestApi;
  token: string;
  organizationId: string;
  /** Runs a mutation as the owner, or as `token` says, and answers its payload: `selection` and all errors. */
  run(name: string, input: Input, options?: { selection?: string; token?: string | undefined }): Promise<Answered>;
  createForm(input?: Input, selection?: string): Promise<Answered>;
  updateForm(id: string, input: Input): Promise<Answered>;
  /** Submits as a stranger and answers the response's id, or the codes of what was wrong with their paths. */
  submit(formId: string, input?: Input): Promise<string>;
  submitMany(responses: readonly Input[]): Promise<string[]>;
}

export interface FormsApiOptions extends Pick<TestApiOptions, 'limits' | 'rates' | 'trustedProxies'> {
  /** Another process of the same installation, with the same owner. */
  beside?: FormsApi;
}

export async function startFormsApi({ beside, ...options }: FormsApiOptions = {}): Promise<FormsApi> {
  const api = await startTestApi({
    ...options,
    ...(beside && { databaseUrl: beside.api.databaseUrl }),
    extend: ({ pool, operationPool, reads, published, callers }) => ({
      responses: createResponsesService({
        pool: operationPool, reads, forms: published, limits: callers, checks: openChecks(pool), onCommitted: () => undefined, settled: createSettled({ pool, order: eventOrder }),
        submitter: createSubmitter({ pool, writePool: pool, forms: published, checks: openChecks(pool), onCommitted: () => undefined }),
      }),
    }),
  });
  const { token, organizationId } = beside ?? (await api.register('owner'));

  const run: FormsApi['run'] = async (name, input, { selection = '', token: as = token } = {}) => {
    const type = `${name.charAt(0).toUpperCase()}${name.slice(1)}Input`;
    const data = await api.gql(`mutation ($input: ${type}!) { ${name}(input: $input) { ${selection} errors { code message path } } }`, { input }, as);
    return data[name];
  };
  const soundForm = async (name: string, input: Input, selection: string): Promise<Answered> => {
    const { form, errors } = await run(name, input, { selection: `form { ${selection} }` });
    if (errors.length > 0) throw new Error(JSON.stringify(errors));
    return form;
  };
  const resultOf = ({ response, errors }: Answered): string => response?.id ?? errors.map((fault: Answered) => `${fault.code} ${fault.path.join('.')}`).join(', ');

  return {
    api, token, organizationId, run,
    createForm: (input = {}, selection = 'id') => soundForm('createForm', { title: 'Survey', questions: [{ key: 'q', text: 'Q', kind: 'TEXT' }], ...input }, selection),
    updateForm: (id, input) => soundForm('updateForm', { id, ...input }, 'id status opensAt closesAt closingSince version'),
    submit: async (formId, input = {}) =>
      resultOf(await run('submitResponse', { formId, answers: [{ key: 'q', value: 'a' }], ...input }, { selection: 'response { id }' })),
    submitMany: async (responses) =>
      (await run('submitResponses', { responses }, { selection: 'results { response { id } errors { code path } }' })).results.map(resultOf),
    [Symbol.asyncDispose]: () => api[Symbol.asyncDispose](),
  };
}

/** Another API process's way of taking responses: a cache of forms and connections of its own. */
export function openOtherSubmitter(databaseUrl: string): { submitter: Submitter } & AsyncDisposable {
  const pool = openTestPool(databaseUrl);
  const submitter = createSubmitter({ pool, writePool: pool, forms: createPublishedForms({ pool }), checks: openChecks(pool), onCommitted: () => undefined });
  return { submitter, [Symbol.asyncDispose]: () => pool.end() };
}
