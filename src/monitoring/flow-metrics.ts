import { Counter, Histogram, type Registry } from 'prom-client';
import { deliveryStatuses } from '../deliveries/delivery.entity.ts';
import type { AttemptedDelivery } from '../dispatcher/open-lane.ts';
import { timeOf } from '../events/id.ts';

/** What the parts of the way of a response tell while it goes through them. Called on it: they only count. */
export interface FlowHooks {
  onWritten(batch: { rows: number; durationMs: number }): void;
  onPublished(facts: { durationMs: number }): void;
  onPublishFailed(): void;
  onRepublished(): void;
  onAttempted(facts: AttemptedDelivery): void;
  onTurn(facts: { provider: string; waitMs: number }): void;
  onRecorded(batch: { entries: number; durationMs: number }): void;
  onAnswered(facts: { path: string; status: number; durationMs: number }): void;
}

const quick = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const batch = [1, 2, 5, 10, 25, 50, 100, 250, 500];
/** From the commit's own time to the last wait of the retry schedule. */
const untilDelivered = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1_800, 7_200, 43_200, 86_400, 345_600];

/**
 * Counts and times of the way of a response. Labels have few values: a provider's name, an outcome, a class of error.
 * No integration, form or organisation is one, or there would be as many series as customers. `providers`: the names of
 * those that deliver.
 */
export function createFlowMetrics(registry: Registry, providers: readonly string[]): FlowHooks {
  return { ...submitHooks(registry), ...streamHooks(registry), ...deliveryHooks(registry, providers) };
}

function submitHooks(registry: Registry): Pick<FlowHooks, 'onWritten' | 'onAnswered'> {
  const registers = [registry];
  const rows = new Histogram({ registers, name: 'formwire_submit_batch_responses', help: 'Responses written by one statement.', buckets: batch });
  const write = new Histogram({ registers, name: 'formwire_submit_write_seconds', help: 'Time of one statement that writes responses, its commit included.', buckets: quick });
  const answered = new Histogram({ registers, name: 'formwire_http_request_seconds', help: 'Time until an HTTP request was answered; streams are left out.', labelNames: ['path', 'status'], buckets: quick });
  return {
    onWritten: (written) => {
      rows.observe(written.rows);
      write.observe(written.durationMs / 1_000);
    },
    onAnswered: ({ path, status, durationMs }) => answered.observe({ path, status: `${Math.floor(status / 100)}xx` }, durationMs / 1_000),
  };
}

function streamHooks(registry: Registry): Pick<FlowHooks, 'onPublished' | 'onPublishFailed' | 'onRepublished'> {
  const registers = [registry];
  const publish = new Histogram({ registers, name: 'formwire_publish_seconds', help: 'Time until the stream has acknowledged an event.', buckets: quick });
  const failed = new Counter({ registers, name: 'formwire_publish_failures_total', help: 'Events that did not get through at once, and were left to the sweeper.' });
  const again = new Counter({ registers, name: 'formwire_republished_total', help: 'Events published again from the outbox.' });
  return {
    onPublished: ({ durationMs }) => publish.observe(durationMs / 1_000),
    onPublishFailed: () => failed.inc(),
    onRepublished: () => again.inc(),
  };
}

function deliveryHooks(registry: Registry, providers: readonly string[]): Pick<FlowHooks, 'onAttempted' | 'onTurn' | 'onRecorded'> {
  const registers = [registry];
  const attempts = new Counter({ registers, name: 'formwire_attempts_total', help: 'Attempts of deliveries by what came of them; error is a class, empty where there was none.', labelNames: ['provider', 'outcome', 'error'] });
  const duration = new Histogram({ registers, name: 'formwire_attempt_seconds', help: 'Time of the call that tried a delivery.', labelNames: ['provider'], buckets: [...quick, 30, 60] });
  const deliveries = new Counter({ registers, name: 'formwire_deliveries_total', help: 'Where deliveries stood after an attempt: delivered, pending, dead or canceled.', labelNames: ['provider', 'status'] });
  // what begins at its first burst has grown by nothing, as Prometheus sees it, and no alert would tell of that
  for (const provider of providers) for (const status of deliveryStatuses) deliveries.inc({ provider, status }, 0);
  const delivered = new Histogram({ registers, name: 'formwire_delivered_after_seconds', help: 'Time from accepting a response to its delivery.', labelNames: ['provider'], buckets: untilDelivered });
  const turns = new Counter({ registers, name: 'formwire_quota_turns_total', help: 'Turns taken at the quotas of outside services.', labelNames: ['provider'] });
  const waited = new Counter({ registers, name: 'formwire_quota_wait_seconds_total', help: 'Time that calls have waited for their turn at a quota.', labelNames: ['provider'] });
  const entries = new Histogram({ registers, name: 'formwire_record_batch_outcomes', help: 'Outcomes of deliveries written together.', buckets: batch });
  const record = new Histogram({ registers, name: 'formwire_record_seconds', help: 'Time until a batch of outcomes was committed.', buckets: quick });
  return {
    onAttempted: ({ provider, eventId, outcome, status, durationMs }) => {
      attempts.inc({ provider, outcome: outcome.status, error: 'error' in outcome ? outcome.error : '' });
      duration.observe({ provider }, durationMs / 1_000);
      deliveries.inc({ provider, status });
      // clocks of machines differ by a little: nothing is delivered before it is accepted
      if (status === 'delivered') delivered.observe({ provider }, Math.max(0, Date.now() - timeOf(eventId)) / 1_000);
    },
    onTurn: ({ provider, waitMs }) => {
      turns.inc({ provider });
      waited.inc({ provider }, waitMs / 1_000);
    },
    onRecorded: (recorded) => {
      entries.observe(recorded.entries);
      record.observe(recorded.durationMs / 1_000);
    },
  };
}
