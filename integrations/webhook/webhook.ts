import type { Json } from '../../src/events/canonical-json.ts';
import type { CallContext, DeliveryRequest, Outcome, Provider } from '../provider.ts';
import { outcomeOf } from './outcome-of.ts';
import { webhookSettings, type WebhookSettings } from './settings.ts';
import { createSecret, signatures } from './sign.ts';

/** Posts every event to a URL, signed as Standard Webhooks 1.0 says. */
export const webhook = {
  name: 'webhook',
  title: 'Webhook',
  description: 'Posts every event as JSON to a URL of yours, signed as Standard Webhooks says.',
  settings: webhookSettings,
  // The time limit is above the longest one that settings allow, so that theirs decides.
  limits: { batchSize: 1, concurrency: 64, timeoutMs: 35_000 },
  refuse: (settings, network) => network.whyUrlRefused(settings.url),
  createSecret,
  isOrdered: (settings) => settings.ordered,
  preview: ({ body }, { settings }) => ({ url: settings.url, body: JSON.parse(Buffer.from(body).toString('utf8')) as Json }),
  deliver: (batch, context) => Promise.all(batch.map((request) => deliverOne(request, context))),
} satisfies Provider<WebhookSettings>;

async function deliverOne({ event }: DeliveryRequest, context: CallContext<WebhookSettings>): Promise<Outcome> {
  const { settings, secrets, signal, http, now } = context;
  const timestamp = Math.floor(now().getTime() / 1_000);
  const { id, body, traceparent } = event;
  const reply = await http.post({
    url: settings.url,
    headers: {
      ...ownHeaders(settings),
      'content-type': 'application/json',
      'webhook-id': id,
      'webhook-timestamp': String(timestamp),
      'webhook-signature': signatures({ id, timestamp, body }, secrets),
      ...(traceparent !== undefined && { traceparent }),
    },
    body,
    timeoutMs: settings.timeoutMs,
    signal,
  });
  return outcomeOf(reply, now());
}

function ownHeaders({ headers = [] }: WebhookSettings): Record<string, string> {
  return Object.fromEntries(headers.map(({ name, value }) => [name.toLowerCase(), value]));
}
