import { performance } from 'node:perf_hooks';
import { notServed } from '../deliveries/not-served.ts';
import type { EnabledIntegration } from '../integrations/enabled-integrations.ts';
import { afterAttempt, allowedConcurrency, closedBreaker, type Breaker, type Health } from './breaker.ts';

export interface LaneHealthDeps {
  settings: () => { breakerFailures: number; concurrency: number };
  report: (integration: EnabledIntegration, status: 'active' | 'failing' | 'disabled', reason: string | null) => void;
  /** Something stands in the way now, see `obstacle`. */
  onObstructed: () => void;
  /** The receiver is back. */
  onRecovered: () => void;
}

/** An integration as its owner set it up, with what its lane has found of its receiver. */
export interface LaneHealth {
  integration(): EnabledIntegration;
  breaker(): Breaker;
  /** For how long it has been open here; undefined where it is not. */
  openForMs(): number | undefined;
  /** Calls that may run at a time. */
  places(): number;
  /** Why nothing can be tried now: deliveries wait without a time, until the receiver or the owner is back. */
  obstacle(): string | undefined;
  /** What a call said of the receiver. */
  observe(health: Health): void;
  /** Nothing can succeed until somebody mends something outside: from now on it is only probed. */
  block(reason: string): void;
  /** The integration itself needs its owner. */
  breakDown(reason: string): void;
  /** Takes the integration as it is stored now. Answers whether its owner has changed it. */
  update(next: EnabledIntegration): boolean;
}

export function createLaneHealth(deps: LaneHealthDeps, initial: EnabledIntegration): LaneHealth {
  let integration = initial;
  let breaker: Breaker = initial.status === 'failing' ? { state: 'ramping', limit: 1, successes: 0 } : closedBreaker;
  /** On the monotonic clock. */
  let openSince: number | undefined;
  const breakerSettings = () => ({ threshold: deps.settings().breakerFailures, concurrency: deps.settings().concurrency });

  const become = (status: 'active' | 'failing' | 'disabled', reason: string | null): void => {
    deps.report(integration, status, reason);
    integration = { ...integration, status, statusReason: reason };
  };
  const move = (next: Breaker): void => {
    const wasOpen = breaker.state === 'open';
    breaker = next;
    openSince = next.state === 'open' ? (openSince ?? performance.now()) : undefined;
    if (wasOpen && next.state !== 'open') deps.onRecovered();
    if (wasOpen || next.state !== 'open') return;
    become('failing', next.reason);
    deps.onObstructed();
  };

  return {
    integration: () => integration,
    breaker: () => breaker,
    openForMs: () => (openSince === undefined ? undefined : performance.now() - openSince),
    places: () => allowedConcurrency(breaker, breakerSettings()),
    obstacle: () => {
      if (integration.isDeleted || integration.status === 'paused') return 'The integration is paused.';
      if (integration.status === 'disabled') return `${notServed} ${integration.statusReason ?? ''}`.trim();
      return breaker.state === 'open' ? `Waits until the receiver is back. ${breaker.reason}` : undefined;
    },
    observe: (health) => {
      if (health.ok && integration.status === 'failing') become('active', null);
      move(afterAttempt(breaker, health, breakerSettings()));
    },
    block: (reason) => move({ state: 'open', reason }),
    breakDown: (reason) => {
      become('disabled', reason);
      deps.onObstructed();
    },
    update: (next) => {
      const isChanged = next.updatedAt.getTime() !== integration.updatedAt.getTime();
      if (isChanged) [breaker, openSince] = [closedBreaker, undefined]; // whatever stood in the way may be gone
      if (isChanged || next.isDeleted || next.status === 'disabled') integration = next;
      return isChanged;
    },
  };
}
