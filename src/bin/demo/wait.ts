import { setTimeout as sleep } from 'node:timers/promises';
import type { ApiClient } from './api-client.ts';
import { openProgress } from './progress.ts';

const arrivesWithinMs = 180_000;

/** Something that arrives somewhere, one by one. */
export interface Arrivals {
  /** `delivered`, `rows`. */
  label: string;
  total: number;
  count(): number;
}

/** Shows how they arrive, until all are there. */
export async function waitForArrivals({ label, total, count }: Arrivals): Promise<void> {
  const giveUpAt = Date.now() + arrivesWithinMs;
  using bar = openProgress(label);
  for (let shown = -1; shown < total; await sleep(50)) {
    const arrived = count();
    if (arrived !== shown) bar.show(arrived, total);
    shown = arrived;
    if (Date.now() > giveUpAt) throw new Error(`Of ${total} ${label} only ${arrived} were there within ${arrivesWithinMs / 1_000} s.`);
  }
}

/** What has arrived may still have to be written down: the books say so too. */
export async function waitUntilRecorded(api: ApiClient, formId: string): Promise<void> {
  const giveUpAt = Date.now() + arrivesWithinMs;
  for (;;) {
    const form = await api.call<{ deliveries: { edges: { node: { reason: string | null } }[] } }>(
      `query { form(id: "${formId}") { deliveries(first: 1, filter: { status: PENDING }) { edges { node { reason } } } } }`,
    );
    const [pending] = form.deliveries.edges;
    if (!pending) return;
    if (Date.now() > giveUpAt) throw new Error(`A delivery is still pending. ${pending.node.reason ?? ''}`.trim());
    await sleep(50);
  }
}

const settlesWithinMs = 10_000;

/** Gives something a while to come true; whoever waits goes on without it all the same. */
export async function waitAWhile(isTrue: () => boolean): Promise<void> {
  const giveUpAt = Date.now() + settlesWithinMs;
  while (!isTrue() && Date.now() < giveUpAt) await sleep(50);
}
