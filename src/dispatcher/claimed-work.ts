import { performance } from 'node:perf_hooks';
import type { ClaimedDelivery } from '../deliveries/claim-due.ts';
import { erasedReason } from '../deliveries/erase-deliveries.ts';
import type { Lease } from '../deliveries/record-outcomes.ts';
import type { Event } from '../events/event.ts';
import type { Id } from '../events/id.ts';
import type { Recorder } from './recorder.ts';
import { canceled, type Work } from './work.ts';

/**
 * Claimed deliveries with their events, ready for a lane. Those whose partition was lost meanwhile are released, and
 * those whose event cannot be made again, because its response was erased, are canceled.
 */
export async function claimedWork(facts: {
  claimed: readonly ClaimedDelivery[];
  claimMs: number;
  rebuild: (claimed: readonly (ClaimedDelivery & { integrationsVersion: number })[]) => Promise<Event[]>;
  partitions: { held(): Lease[]; isHeld(lease: Lease): boolean };
  recorder: Recorder;
  release: (ids: readonly Id<'dlv'>[]) => Promise<void>;
}): Promise<Work[]> {
  const { claimed, claimMs, rebuild, partitions, recorder, release } = facts;
  if (claimed.length === 0) return [];
  const expiresAt = performance.now() + claimMs / 2; // half, so that an attempt begun before it ends before the claim does
  const rebuilt = await rebuild(claimed.map((one) => ({ ...one, integrationsVersion: 0 }))).catch(async (error: unknown) => {
    await release(claimed.map((one) => one.id)).catch(() => undefined); // else they are free when the claim runs out
    throw error;
  });
  const events = new Map(rebuilt.map((event) => [event.id, event]));
  const leases = new Map(partitions.held().map((lease) => [lease.partition, lease]));
  const lost = claimed.filter((one) => !leases.has(one.partition)).map((one) => one.id);
  if (lost.length > 0) await release(lost);
  return claimed.flatMap((one): Work[] => {
    const event = events.get(one.eventId);
    const lease = leases.get(one.partition);
    if (!lease) return [];
    if (!event) {
      recorder.retry({ ...canceled(one, erasedReason), id: one.id, formId: one.formId, lease });
      return [];
    }
    return [
      {
        kind: 'claimed',
        deliveryId: one.id,
        integrationId: one.integrationId,
        event,
        lease,
        attempts: one.attempts,
        scheduleStart: one.scheduleStart,
        replayId: one.replayId ?? undefined,
        since: performance.now(),
        isOurs: () => partitions.isHeld(lease) && performance.now() < expiresAt,
        settle: (state, onRecorded) => recorder.retry({ ...state, id: one.id, formId: one.formId, lease }, onRecorded),
      },
    ];
  });
}
