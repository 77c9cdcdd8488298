import type { ClaimedDelivery, ClaimRequest } from '../deliveries/claim-due.ts';
import type { Id } from '../events/id.ts';
import type { EnabledIntegration } from '../integrations/enabled-integrations.ts';
import type { Lane } from './lane.ts';
import type { Work } from './work.ts';

export interface RetriesDeps {
  lanes: { get(id: Id<'intg'>): Lane | undefined; all(): Iterable<Lane>; refresh(ids: readonly Id<'intg'>[]): Promise<EnabledIntegration[]> };
  pending: () => Promise<Id<'intg'>[]>;
  claim: (requests: readonly ClaimRequest[]) => Promise<ClaimedDelivery[]>;
  /** Makes the claimed deliveries' events again; those whose response is erased are ended, and left out. */
  prepare: (claimed: readonly ClaimedDelivery[]) => Promise<Work[]>;
  /** Ends what an integration that was deleted has left pending. */
  cancel: (ids: readonly Id<'intg'>[]) => Promise<void>;
}

/**
 * One round over what is pending in PostgreSQL: asks each lane what it could take, claims that much, and gives it to
 * the lane. Answers how many it claimed.
 */
export async function retryRound(deps: RetriesDeps): Promise<number> {
  const { lanes } = deps;
  const marks = new Map([...lanes.all()].map((lane) => [lane, lane.pendingMark()]));
  const ids = await deps.pending();
  const pending = new Set(ids);
  for (const [lane, mark] of marks) if (!pending.has(lane.integration().id)) lane.nonePendingAt(mark);

  const integrations = await lanes.refresh(ids);
  const deleted = integrations.filter((integration) => integration.isDeleted).map((integration) => integration.id);
  if (deleted.length > 0) await deps.cancel(deleted);

  const requests = bounded(ids.flatMap((id) => lanes.get(id)?.claimRequest() ?? []));
  if (requests.length === 0) return 0;
  const claimed = await deps.claim(requests);
  const counts = Map.groupBy(claimed, (one) => one.integrationId);
  const works = Map.groupBy(await deps.prepare(claimed), (work) => work.integrationId);
  for (const request of requests) {
    const found = counts.get(request.integrationId)?.length ?? 0;
    lanes.get(request.integrationId)?.offerClaimed(works.get(request.integrationId) ?? [], { ...request, found });
  }
  return claimed.length;
}

/** Deliveries claimed in one round, at most: their events are read back together, within the time of a claim. */
const maxClaimed = 1_000;

/** An equal share for each integration, so that a long list of them is served in one round as well. */
function bounded(requests: readonly ClaimRequest[]): ClaimRequest[] {
  const share = Math.max(1, Math.floor(maxClaimed / Math.max(1, requests.length)));
  return requests.map((request) => ({ ...request, limit: Math.min(request.limit, share) }));
}
