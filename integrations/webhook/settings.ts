import { z } from 'zod';

/** RFC 9110, 5.6.2: what a header's name may be made of. */
const tokenPattern = /^[A-Za-z0-9!#$%&'*+\-.^_`|~]+$/;
/** One line of printable ASCII: nothing that could begin another header. */
const valuePattern = /^[\x20-\x7e]*$/;

/** Headers the delivery sets itself, and those that belong to the connection and not to the message. */
const reservedNames = new Set([
  'accept-encoding', 'connection', 'content-encoding', 'content-length', 'content-type', 'date', 'expect', 'host',
  'keep-alive', 'te', 'trailer', 'transfer-encoding', 'upgrade',
]);
const isReserved = (name: string): boolean => {
  const lower = name.toLowerCase();
  return reservedNames.has(lower) || lower.startsWith('webhook-') || lower.startsWith('proxy-');
};

const header = z.object({
  name: z
    .string()
    .max(100, 'A header name has at most 100 characters.')
    .regex(tokenPattern, 'A header name is made of letters, digits and hyphens.')
    .refine((name) => !isReserved(name), 'This header is set by the delivery itself; choose another name.')
    .describe('For example `Authorization`.'),
  value: z
    .string()
    .max(4_000, 'A header value has at most 4,000 characters.')
    .regex(valuePattern, 'A header value is one line of printable ASCII characters.')
    .meta({ secret: true }),
});

const headers = z
  .array(header)
  .max(20, 'At most 20 headers can be added.')
  .refine(
    (list) => new Set(list.map(({ name }) => name.toLowerCase())).size === list.length,
    'Every header can be given once.',
  );

/** What an owner says about an endpoint. Whether its address may be reached is up to the network policy. */
export const webhookSettings = z.object({
  url: z
    .string()
    .max(2_048, 'A URL has at most 2,048 characters.')
    .refine((url) => URL.canParse(url), 'This is not a URL; it looks like https://example.com/hooks.')
    .describe('Where events are posted to, as JSON.'),
  headers: headers.optional().describe('Sent with every delivery, at most 20.'),
  ordered: z
    .boolean()
    .default(false)
    .describe('First deliveries of one form go out one after the other, in the order its responses came in.'),
  timeoutMs: z
    .int('The time limit is a whole number of milliseconds.')
    .min(1_000, 'The time limit is at least 1,000 ms.')
    .max(30_000, 'The time limit is at most 30,000 ms.')
    .default(15_000)
    .describe('How long a delivery may take, to the end of the reply, in milliseconds.'),
});

export type WebhookSettings = z.output<typeof webhookSettings>;
