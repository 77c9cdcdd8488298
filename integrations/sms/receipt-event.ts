import { z } from 'zod';
import type { Json } from '../../src/events/canonical-json.ts';
import type { Event } from '../../src/events/event.ts';

const text = z.string().optional();

const eventBody = z.object({
  data: z.object({
    form: z.object({ title: z.string(), version: z.int() }),
    response: z.object({
      id: z.string(),
      clientId: z.string().nullable(),
      familyId: z.string(),
      revision: z.int(),
      submittedAt: z.string(),
      respondent: z.object({ mobile: text, email: text, name: text, key: text }),
      collector: z.object({ username: text }),
      flags: z.array(z.unknown()),
      answers: z.array(z.object({ key: z.string(), value: z.unknown().transform((value) => value as Json), text: z.string() })),
    }),
  }),
});

/** A revision of a response, as far as a receipt speaks of it. */
export type ReceiptEvent = z.output<typeof eventBody>['data']['response'] & { form: z.output<typeof eventBody>['data']['form'] };

/** Reads an event; undefined where it carries no response, since it tells that one is gone. */
export function readReceiptEvent({ type, body }: Pick<Event, 'type' | 'body'>): ReceiptEvent | undefined {
  if (type === 'response.deleted') return undefined;
  const { form, response } = eventBody.parse(JSON.parse(Buffer.from(body).toString('utf8'))).data;
  return { ...response, form };
}
