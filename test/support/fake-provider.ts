import { z } from 'zod';
import type {
  CallbackReply, CallbackRequest, CallContext, DeliveryRequest, FormShape, Outcome, Provider, QuotaRate, Settled, Tracking, Verified, VerifyPage,
} from '../../integrations/provider.ts';

const fakeSettings = z.object({
  /** The key of a question that the form must have. */
  needs: z.array(z.string()).default([]),
  ordered: z.boolean().default(false),
});
type FakeSettings = z.output<typeof fakeSettings>;
type Context = CallContext<FakeSettings>;

/** An outside service in this process, with what was done to it, and what it is to do. */
export interface FakeService {
  connected: { integrationId: string; form: FormShape | undefined }[];
  disconnected: string[];
  delivered: DeliveryRequest[];
  pages: VerifyPage[];
  followed: Tracking[];
  connect: (context: Context) => Promise<Settled<{ resourceUrl?: string }>>;
  disconnect: (context: Context) => Promise<Settled>;
  deliver: (request: DeliveryRequest, context: Context) => Promise<Outcome>;
  verify: (page: VerifyPage, context: Context) => Promise<Settled<Verified>>;
  callback: (request: CallbackRequest, context: Context) => Promise<CallbackReply>;
  follow: (trackings: readonly Tracking[], context: Context) => Promise<void>;
  quotas: readonly QuotaRate[];
  reset(): void;
}

const atRest = (): Omit<FakeService, 'reset'> => ({
  connected: [],
  disconnected: [],
  delivered: [],
  pages: [],
  followed: [],
  connect: async ({ integrationId }) => ({ status: 'done', resourceUrl: `https://fake.example/${integrationId}` }),
  disconnect: async () => ({ status: 'done' }),
  deliver: async () => ({ status: 'delivered' }),
  verify: async () => ({ status: 'done', differing: [], surplus: [] }),
  callback: async () => ({ httpStatus: 204 }),
  follow: async () => undefined,
  quotas: [],
});

/** The one of this test file. */
export const service: FakeService = { ...atRest(), reset: () => Object.assign(service, atRest()) };

/** A provider of everything that a provider can be. */
export const fake = {
  name: 'fake',
  title: 'Fake',
  description: 'Stands in for an outside service in tests.',
  settings: fakeSettings,
  limits: { batchSize: 1, concurrency: 8, timeoutMs: 5_000 },
  unfit: ({ needs }, form) =>
    needs.flatMap((key, index) => (form.questions.some((question) => question.key === key) ? [] : [{ message: `There is no question ${key}.`, path: ['needs', index] }])),
  isOrdered: ({ ordered }) => ordered,
  quotas: () => service.quotas,
  preview: (event, { form }) => ({ body: JSON.parse(Buffer.from(event.body).toString()), questions: form.questions.length }),
  deliver: (batch, context) =>
    Promise.all(batch.map((request) => {
      service.delivered.push(request);
      return service.deliver(request, context);
    })),
  connect: async (context) => {
    service.connected.push({ integrationId: context.integrationId, form: await context.form() });
    return service.connect(context);
  },
  disconnect: (context) => {
    service.disconnected.push(context.integrationId);
    return service.disconnect(context);
  },
  verify: (page, context) => {
    service.pages.push(page);
    return service.verify(page, context);
  },
  callback: (request, context) => service.callback(request, context),
  follow: (trackings, context) => {
    service.followed.push(...trackings);
    return service.follow(trackings, context);
  },
} satisfies Provider<FakeSettings>;

/** The installed providers with this one among them, for `vi.mock('../../integrations/index.ts', …)`. */
export function withFake<Installed extends { providers: readonly Provider[]; providerNamed: (name: string) => Provider | undefined }>(installed: Installed) {
  return {
    ...installed,
    providers: [...installed.providers, fake],
    providerNamed: (name: string): Provider | undefined => (name === 'fake' ? fake : installed.providerNamed(name)),
  };
}
