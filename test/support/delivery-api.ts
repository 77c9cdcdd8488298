import { providerNamed } from '../../integrations/index.ts';
import { createLooks } from '../../src/completeness/looks.ts';
import { createCompletenessService } from '../../src/completeness/completeness.service.ts';
import { createDeliveriesService } from '../../src/deliveries/deliveries.service.ts';
import type { Event } from '../../src/events/event.ts';
import type { Id } from '../../src/events/id.ts';
import { createIntegrationsService } from '../../src/integrations/integrations.service.ts';
import { createPreviewsService } from '../../src/integrations/previews.service.ts';
import { createJobsService } from '../../src/jobs/jobs.service.ts';
import { createRuleTestsService } from '../../src/integrations/rule-tests.service.ts';
import { networkPolicy } from '../../src/outbound/address-policy.ts';
import { createSettled, eventOrder } from '../../src/outbox/settled.ts';
import { silentLog } from '../../src/log.ts';
import { createReplaysService } from '../../src/replays/replays.service.ts';
import { createResponsesService } from '../../src/responses/responses.service.ts';
import { createSubmitter } from '../../src/responses/submit-response.ts';
import { startTestApi, type TestApi, type TestApiOptions } from './api.ts';
import { openChecks } from './checks.ts';
import { householdForm } from './household.ts';
import { testSealer } from './sealer.ts';

export interface Owner {
  token: string;
  userId: Id<'usr'>;
  organizationId: Id<'org'>;
}

/** The API with every feature, and nothing behind it: what is submitted stays in the outbox. */
export interface DeliveryApi extends TestApi {
  /** Organisations whose integrations were announced as changed, in order. */
  announced: Id<'org'>[];
  /** Forms of which was told that deliveries have changed, in order. */
  changed: Id<'form'>[];
  /** Events of what was submitted, in order. */
  committed: Event[];
  newOwner(): Promise<Owner>;
  /** A form with these questions, or the household survey. */
  newForm(owner: Owner, questions?: unknown[]): Promise<{ id: Id<'form'>; questions: { id: Id<'q'>; key: string }[] }>;
}

export async function startDeliveryApi(options: Pick<TestApiOptions, 'limits'> = {}): Promise<DeliveryApi> {
  const announced: Id<'org'>[] = [];
  const changed: Id<'form'>[] = [];
  const committed: Event[] = [];
  const onCommitted = (events: readonly Event[]) => void committed.push(...events);
  const settingsDeps = { providerNamed, sealer: testSealer, network: networkPolicy({ allowLoopback: false }) };
  const looks = createLooks();
  let owners = 0;
  const api = await startTestApi({
    ...options,
    extend: ({ pool, operationPool, reads, published, callers }) => {
      // `end` does not wait for the sockets: one on its way out may still hear that the database is dropped
      pool.on('error', () => undefined);
      const checks = openChecks(pool);
      return {
        responses: createResponsesService({
          pool: operationPool,
          reads,
          forms: published,
          checks,
          limits: callers,
          settled: createSettled({ pool, order: eventOrder }),
          onCommitted,
          submitter: createSubmitter({ pool, writePool: pool, forms: published, checks, onCommitted }),
        }),
        integrations: createIntegrationsService({
          ...settingsDeps,
          pool: operationPool,
          announceChange: (organizationId) => void announced.push(organizationId),
          log: silentLog,
          now: () => new Date(),
        }),
        replays: createReplaysService({ pool: operationPool, reads, providerNamed, sealer: testSealer, log: silentLog, looks, now: () => new Date() }),
        jobs: createJobsService({ pool: operationPool, reads, providerNamed, now: () => new Date() }),
        previews: createPreviewsService({ ...settingsDeps, pool: operationPool, reads, forms: published }),
        ruleTests: createRuleTestsService({ pool: operationPool, reads, forms: published, network: networkPolicy({ allowLoopback: false }) }),
        deliveries: createDeliveriesService({ pool: operationPool, reads, onChanged: (formIds) => void changed.push(...formIds) }),
        completeness: createCompletenessService({ pool: operationPool, reads, looks }),
      };
    },
  });
  const newOwner = async (): Promise<Owner> => (await api.register(`owner${(owners += 1)}`)) as Owner;
  const newForm: DeliveryApi['newForm'] = async (owner, questions = householdQuestions()) => {
    const { createForm } = await api.gql(
      'mutation ($input: CreateFormInput!) { createForm(input: $input) { form { id questions { id key } } errors { message path } } }',
      { input: { title: 'Household survey', questions } },
      owner.token,
    );
    if (createForm.errors.length > 0) throw new Error(JSON.stringify(createForm.errors));
    return createForm.form;
  };
  return { ...api, announced, changed, committed, newOwner, newForm, [Symbol.asyncDispose]: () => api[Symbol.asyncDispose]() };
}

const householdQuestions = () =>
  householdForm().questions.map(({ choices, ...rest }) => ({ ...rest, ...(choices && { choices: choices.map((text) => ({ text })) }) }));
