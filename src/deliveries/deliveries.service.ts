import type { Pool } from 'pg';
import { isId, type Id } from '../events/id.ts';
import { requirePermission, viewerAllowed } from '../accounts/permissions.ts';
import { reachOf, type Reach } from '../accounts/reach.ts';
import type { Caller } from '../graphql/context.ts';
import { decodeCursor, encodeCursor } from '../graphql/cursor.ts';
import type { KeysetRange } from '../graphql/connection.ts';
import type { Found, Stretch } from '../graphql/live-topic.ts';
import { whyTextUnstorable } from '../storable.ts';
import { UserError, type Fault } from '../user-error.ts';
import { groupDead, type DeadGroup } from './dead-groups.ts';
import {
  attemptsOfDeliveries,
  deliveriesOfResponses,
  pageOfDeliveries,
  readDeliveries,
  type AttemptRow,
  type DeliveryFilter,
  type DeliveryRow,
} from './delivery-rows.ts';
import { readDeliveryChanges, type ChangesOf, type DeliveryChangeItem } from './delivery-changes.ts';
import { trackingsOfDeliveries, type TrackingRow } from './tracking-rows.ts';
import { countPipelines, type PipelineCounts } from './pipeline.ts';
import { byViewer, maxRedeliveredByIds, redeliverByFilter, redeliverByIds, type By, type RedeliveredByIds, type RedeliverFilter } from './redeliver.ts';

/** Exactly one of both. */
export interface RedeliverInput {
  deliveryIds?: readonly string[] | null | undefined;
  filter?: RedeliverFilter | null | undefined;
  /** With `filter`: the end of the call before. */
  after?: string | null | undefined;
}

export interface Redelivered {
  count: number;
  /** The first 100 of them. */
  deliveries: DeliveryRow[];
  hasMore: boolean;
  /** Where there may be more: what to go on after. */
  endCursor: string | null;
  errors: Fault[];
}

interface Redelivering {
  reach: Reach;
  by: By;
}

const maxAnswered = 100;

export interface DeliveriesDeps {
  pool: Pool;
  /** Restricted to the viewer's organisation. */
  reads: Pool;
  /** Deliveries of these forms were changed. Must not wait or throw. */
  onChanged: (formIds: ReadonlySet<Id<'form'>>) => void;
}

export type DeliveriesService = ReturnType<typeof createDeliveriesService>;

/** The log of deliveries. Everything here is for members of the organisation whose responses were delivered; a partner has its own part of it. */
export function createDeliveriesService({ pool, reads, onChanged }: DeliveriesDeps) {
  const answer = async (reach: Reach, ids: readonly Id<'dlv'>[]): Promise<DeliveryRow[]> => {
    const rows = await readDeliveries(reads, { reach, ids: ids.slice(0, maxAnswered) });
    return ids.flatMap((id) => rows.get(id) ?? []);
  };

  const redeliverEach = async ({ reach, by }: Redelivering, wanted: readonly string[]): Promise<Redelivered> => {
    if (wanted.length > maxRedeliveredByIds) {
      throw new UserError('TOO_MANY', `At most ${maxRedeliveredByIds} deliveries can be named at once; ${wanted.length} were.`, ['deliveryIds']);
    }
    const ids = [...new Set(wanted)].filter((id) => isId('dlv', id));
    const { redelivered, withoutIntegration, withoutResponse, formIds } = await redeliverByIds(pool, { reach, ids, by });
    onChanged(formIds);
    const faultless = new Set<string>(redelivered);
    const ordered = ids.filter((id) => faultless.has(id));
    const errors = faultsOf(wanted, { redelivered: faultless, withoutIntegration: new Set(withoutIntegration), withoutResponse: new Set(withoutResponse) });
    return { count: ordered.length, deliveries: await answer(reach, ordered), hasMore: false, endCursor: null, errors };
  };

  const redeliverFound = async ({ reach, by }: Redelivering, filter: RedeliverFilter, cursor: string | null | undefined): Promise<Redelivered> => {
    if (filter.status === 'canceled') throw new UserError('INVALID_INPUT', 'What was canceled has nobody to be sent to.', ['filter', 'status']);
    requireIds(filter, ['filter']);
    const after = cursor ? readAfter(cursor) : undefined;
    const { redelivered, hasMore, formIds } = await redeliverByFilter(pool, { reach, filter, after, by });
    onChanged(formIds);
    const last = redelivered.at(-1);
    return { count: redelivered.length, deliveries: await answer(reach, redelivered), hasMore, endCursor: hasMore && last ? encodeCursor(last) : null, errors: [] };
  };

  return {
    /** The deliveries of these ids that the viewer reaches. */
    readMany: async (caller: Caller, ids: readonly Id<'dlv'>[]): Promise<Map<Id<'dlv'>, DeliveryRow>> =>
      ifAllowed(caller, (reach) => readDeliveries(reads, { reach, ids })),

    /** A page of a form's deliveries, oldest first. Throws UserError for an id that is none. */
    list: (caller: Caller, page: { formId: Id<'form'>; filter: DeliveryFilter; range: KeysetRange }): Promise<DeliveryRow[]> => {
      requireIds(page.filter, ['filter']);
      return pageOfDeliveries(reads, { ...page, reach: reachOf(requirePermission(caller, 'deliveries:read')) });
    },

    /** What has changed in a stretch of the order of changes, as the viewer reaches it. */
    readChanges: (caller: Caller, of: Omit<ChangesOf, 'reach'>, stretch: Stretch): Promise<Found<DeliveryChangeItem>> =>
      readDeliveryChanges(reads, { ...of, reach: reachOf(requirePermission(caller, 'deliveries:read')) }, stretch),

    /** The deliveries of responses; a response that the viewer does not reach has no entry. */
    ofResponses: async (caller: Caller, responseIds: readonly Id<'resp'>[]): Promise<Map<Id<'resp'>, DeliveryRow[]>> =>
      ifAllowed(caller, (reach) => deliveriesOfResponses(reads, { reach, responseIds })),

    /** How responses stand; a response that the viewer does not reach has no entry. */
    pipelines: async (caller: Caller, responseIds: readonly Id<'resp'>[]): Promise<Map<Id<'resp'>, PipelineCounts>> =>
      ifAllowed(caller, (reach) => countPipelines(reads, { reach, responseIds })),

    /** The dead deliveries of a form by what they failed with, for those who may see them. */
    deadOfForm: (caller: Caller, formId: Id<'form'>): Promise<DeadGroup[]> =>
      groupDead(reads, { reach: reachOf(requirePermission(caller, 'deliveries:read')), of: { formId } }),

    /** The same of an integration. */
    deadOfIntegration: (caller: Caller, integrationId: Id<'intg'>): Promise<DeadGroup[]> =>
      groupDead(reads, { reach: reachOf(requirePermission(caller, 'deliveries:read')), of: { integrationId } }),

    /** The attempts of deliveries, each list in its order. */
    attempts: async (caller: Caller, deliveryIds: readonly Id<'dlv'>[]): Promise<Map<Id<'dlv'>, AttemptRow[]>> =>
      ifAllowed(caller, (reach) => attemptsOfDeliveries(reads, { reach, deliveryIds })),

    /** What outside services say of deliveries they took. */
    trackings: async (caller: Caller, deliveryIds: readonly Id<'dlv'>[]): Promise<Map<Id<'dlv'>, TrackingRow>> =>
      ifAllowed(caller, (reach) => trackingsOfDeliveries(reads, { reach, deliveryIds })),

    /**
     * Sends deliveries again, whatever became of them, at once and with a new schedule of retries. What cannot be sent
     * is told in `errors` beside what can. Throws UserError where the input as a whole is wrong.
     */
    redeliver: async (caller: Caller, { deliveryIds, filter, after }: RedeliverInput): Promise<Redelivered> => {
      const viewer = requirePermission(caller, 'deliveries:write');
      const redelivering = { reach: reachOf(viewer), by: byViewer(viewer) };
      if (after && !filter) throw new UserError('INVALID_INPUT', '`after` goes with a filter.', ['after']);
      if (deliveryIds && !filter) return redeliverEach(redelivering, deliveryIds);
      if (filter && !deliveryIds) return redeliverFound(redelivering, filter, after);
      throw new UserError('INVALID_INPUT', 'Give either deliveryIds or a filter.', []);
    },
  };
}

/** What a read finds for a viewer who may see deliveries; for others nothing. */
async function ifAllowed<Key, Value>(caller: Caller, read: (reach: Reach) => Promise<Map<Key, Value>>): Promise<Map<Key, Value>> {
  const viewer = viewerAllowed(caller, 'deliveries:read');
  return viewer ? read(reachOf(viewer)) : new Map<Key, Value>();
}

function faultsOf(
  wanted: readonly string[],
  { redelivered, withoutIntegration, withoutResponse }: { [Kind in Exclude<keyof RedeliveredByIds, 'formIds'>]: ReadonlySet<string> },
): Fault[] {
  return wanted.flatMap((id, index): Fault[] => {
    const path = ['deliveryIds', index];
    if (redelivered.has(id)) return [];
    if (withoutResponse.has(id)) return [{ code: 'RESPONSE_ERASED', message: 'The response of this delivery was erased.', path }];
    if (withoutIntegration.has(id)) return [{ code: 'INVALID_INPUT', message: 'The integration of this delivery was deleted.', path }];
    return [{ code: 'NOT_FOUND', message: 'Your organisation has no delivery with this id.', path }];
  });
}

const maxClassLength = 100;

/** An id that is none could not even be asked for: PostgreSQL takes no NUL. */
function readAfter(cursor: string): Id<'dlv'> {
  const key = decodeCursor(cursor);
  if (key !== undefined && isId('dlv', key)) return key;
  throw new UserError('INVALID_INPUT', '"after" is no endCursor of this mutation.', ['after']);
}

function requireIds(filter: DeliveryFilter & RedeliverFilter, path: readonly string[]): void {
  const { errorClass } = filter;
  if (errorClass && (errorClass.length > maxClassLength || whyTextUnstorable(errorClass) !== undefined)) {
    throw new UserError('INVALID_INPUT', 'This is no class of errors; deadLetters tells those that there are.', [...path, 'errorClass']);
  }
  for (const [name, prefix] of [['integrationId', 'intg'], ['responseId', 'resp'], ['formId', 'form']] as const) {
    const id = filter[name];
    if (typeof id === 'string' && !isId(prefix, id)) throw new UserError('INVALID_INPUT', `This is no id of the kind ${prefix}_….`, [...path, name]);
  }
}
