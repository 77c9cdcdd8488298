import type { Registry } from 'prom-client';
import type { SubscriberState } from '../api/server.ts';
import type { Count } from '../live/counts.ts';
import { transports } from '../live/member.ts';
import { registerCounter, registerGauge } from './gauge.ts';

/** Gauges and counters of subscriptions. The API counts as they live; nothing is made of it until somebody asks. */
export function registerSubscriberMetrics(registry: Registry, state: () => SubscriberState): void {
  registerOpen(registry, state);
  const counter = (metric: { name: string; help: string; label: string }, counted: (counts: SubscriberState['counts']) => Count<string>): void =>
    registerCounter(registry, { name: metric.name, help: metric.help, labelNames: [metric.label] }, (registered) => {
      for (const [value, count] of counted(state().counts).entries) registered.inc({ [metric.label]: value }, count);
    });
  counter({ name: 'formwire_subscription_items_total', help: 'Items told: one that a thousand subscribers are told counts a thousand.', label: 'topic' }, ({ told }) => told);
  counter({ name: 'formwire_subscription_reads_total', help: 'Stretches of items read from PostgreSQL, for what is new or for those who catch up.', label: 'reading' }, ({ read }) => read);
  counter({ name: 'formwire_subscriptions_ended_total', help: 'Subscriptions that ended, by what their subscribers were told; LEFT where they went by themselves.', label: 'code' }, ({ ended }) => ended);
  counter({ name: 'formwire_subscriptions_refused_total', help: 'Subscriptions and connections that there was no place for, by whose limit it was.', label: 'limit' }, ({ refused }) => refused);
}

function registerOpen(registry: Registry, state: () => SubscriberState): void {
  registerGauge(registry, { name: 'formwire_subscriptions', help: 'Open subscriptions.', labelNames: ['transport', 'topic'] }, (metric) => {
    const { subscribers, counts } = state();
    for (const transport of transports) for (const topic of counts.told.entries.keys()) metric.set({ transport, topic }, 0);
    for (const { transport, field: topic } of subscribers) metric.inc({ transport, topic });
  });
  registerGauge(registry, { name: 'formwire_subscription_groups', help: 'How many different things subscribers are told: each is executed and written out once.' }, (metric) => metric.set(state().groups));
  registerGauge(registry, { name: 'formwire_subscriber_connections', help: 'Connections with subscriptions, and WebSockets.', labelNames: ['transport'] }, (metric) => {
    for (const transport of transports) metric.set({ transport }, state().unread[transport].connections);
  });
  registerGauge(registry, { name: 'formwire_subscriber_unread_bytes', help: 'What was sent to subscribers and waits in this process for them to read it.', labelNames: ['transport'] }, (metric) => {
    for (const transport of transports) metric.set({ transport }, state().unread[transport].bytes);
  });
}
