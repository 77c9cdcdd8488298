import type { Provider } from '../../integrations/provider.ts';
import { mostRate } from './replay-task.ts';

/** An ordered integration gets sixteen, and then the next ones a fifth of a second later. */
const mostRateInOrder = 80;

/**
 * How long a replay takes at least to send so many deliveries, in milliseconds: by its own rate, and by what the
 * provider may be asked. How quick the receiver is nobody knows before.
 *
 * @example 6,000 at 50 a second: 120,000; to a service that takes 60 calls a minute of 100 each: 60,000 or, if that is longer, as above
 */
export function estimatedMs(facts: { count: number; rate: number; provider: Pick<Provider, 'limits' | 'isOrdered' | 'quotas'>; settings: unknown }): number {
  const { count, rate, provider, settings } = facts;
  const quotas = (provider.quotas?.(settings) ?? []).map(({ perMinute }) => (perMinute * provider.limits.batchSize) / 60);
  const perSecond = Math.min(rate, provider.isOrdered?.(settings) ? mostRateInOrder : mostRate, ...quotas);
  return Math.ceil((count * 1_000) / perSecond);
}
