import type { Pool } from 'pg';
import { requirePermission } from '../accounts/permissions.ts';
import { formsIn, reachOf, type OrganizationReach, type Reach } from '../accounts/reach.ts';
import { sql } from '../bound-sql.ts';
import { isId, type Id } from '../events/id.ts';
import type { Caller } from '../graphql/context.ts';
import { decodeCursor, encodeCursor, positionKey, positionOfKey } from '../graphql/cursor.ts';
import { UserError } from '../user-error.ts';
import type { Looks } from './looks.ts';
import { reconcile, type MissingDelivery, type Reconciliation } from './reconcile.ts';
import { repairEvents } from './repair.ts';

export interface ReconcileInput {
  formId: string;
  /** Default: a day ago. */
  since?: Date | null | undefined;
  /** Default: now. */
  until?: Date | null | undefined;
  after?: string | null | undefined;
}

/** What a client is told: the first of the missing ones, and where to go on. */
export interface ReconciledPage extends Omit<Reconciliation, 'missing' | 'next'> {
  missing: MissingDelivery[];
  endCursor: string | null;
}

export interface Repaired {
  count: number;
  endCursor: string | null;
}

/** Events that one call looks at: some seconds of work. */
export const maxEvents = 20_000;
/** Of the missing deliveries. */
export const maxListed = 100;
const dayMs = 86_400_000;

export interface CompletenessDeps {
  pool: Pool;
  /** Restricted to the viewer's organisation. */
  reads: Pool;
  looks: Looks;
}

export type CompletenessService = ReturnType<typeof createCompletenessService>;

/** Whether everything that was accepted came to where it was due; for those who may see the deliveries, of what they reach. */
export function createCompletenessService({ pool, reads, looks }: CompletenessDeps) {
  const compare = async (reach: OrganizationReach, input: ReconcileInput): Promise<Reconciliation> => {
    const { formId, since, until, after } = readInput(input);
    if (!(await isReached(reads, { reach, formId }))) throw notFound();
    return looks(reach.organizationId, () => reconcile({ reads, pool }, { reach, formId, since, until, after, most: maxEvents }));
  };

  return {
    /** Throws UserError for what cannot be asked. */
    reconcile: async (caller: Caller, input: ReconcileInput): Promise<ReconciledPage> => {
      const { missing, next, ...counts } = await compare(reachOf(requirePermission(caller, 'deliveries:read')), input);
      return { ...counts, missing: missing.slice(0, maxListed), endCursor: cursorOf(next) };
    },

    /** Puts what is missing on its way again. Throws UserError. */
    repair: async (caller: Caller, input: ReconcileInput): Promise<Repaired> => {
      const { missing, next } = await compare(reachOf(requirePermission(caller, 'deliveries:write')), input);
      return { count: await repairEvents(pool, missing.map(({ event }) => event)), endCursor: cursorOf(next) };
    },
  };
}

const cursorOf = (position: number | null): string | null => (position === null ? null : encodeCursor(positionKey(position)));

const notFound = (): UserError => new UserError('NOT_FOUND', 'Your organisation has no form with this id.', ['formId']);

function readInput({ formId, since, until, after }: ReconcileInput): { formId: Id<'form'>; since: Date; until: Date; after: number | undefined } {
  if (!isId('form', formId)) throw notFound();
  const end = until ?? new Date();
  const begin = since ?? new Date(end.getTime() - dayMs);
  if (begin >= end) throw new UserError('INVALID_INPUT', 'The time ends before it begins.', ['until']);
  const place = after ? positionOfKey(decodeCursor(after) ?? '') : undefined;
  if (after && place === undefined) throw new UserError('INVALID_INPUT', 'This is no cursor that an answer had.', ['after']);
  return { formId, since: begin, until: end, after: place };
}

async function isReached(reads: Pool, { reach, formId }: { reach: Reach; formId: Id<'form'> }): Promise<boolean> {
  const { rowCount } = await reads.query(sql`select 1 from forms f where f.id = ${formId} and ${formsIn(reach)}`.toQuery());
  return rowCount === 1;
}
