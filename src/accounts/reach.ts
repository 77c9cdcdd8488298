import { raw, type RawQueryFragment } from '@mikro-orm/core';
import { sql, type Sql } from '../bound-sql.ts';
import type { Id } from '../events/id.ts';
import type { Viewer } from '../graphql/viewer.ts';

/**
 * Which rows of an organisation somebody reaches, as conditions for the statements that read and write them. `all`: the
 * organisation's. `granted`: a partner's, to whom there are only the forms granted to it, its own integrations on them,
 * and the deliveries of those. A grant is looked up by the statement itself, so that one that ended is not used once more.
 */
export type OrganizationReach = { kind: 'all'; organizationId: Id<'org'> } | { kind: 'granted'; organizationId: Id<'org'>; partnerId: Id<'usr'> };

/** `installation`: everything of every organisation, for whoever has the database in their hands. No viewer of the API gets it. */
export type Reach = OrganizationReach | { kind: 'installation' };

export function reachOf({ userId, organizationId, credential }: Viewer): OrganizationReach {
  if (credential.kind === 'session' && credential.role === 'partner') return { kind: 'granted', organizationId, partnerId: userId };
  return { kind: 'all', organizationId };
}

/** What of `forms f` is in reach. */
export function formsIn(reach: Reach): Sql {
  if (reach.kind === 'installation') return sql`true`;
  const { organizationId } = reach;
  if (reach.kind === 'all') return sql`f.organization_id = ${organizationId}`;
  return sql`f.organization_id = ${organizationId} and ${isGranted({ ...reach, formId: sql`f.id` })}`;
}

/** What of `deliveries d` is in reach. */
export function deliveriesIn(reach: Reach): Sql {
  if (reach.kind === 'installation') return sql`true`;
  const { organizationId } = reach;
  if (reach.kind === 'all') return sql`d.organization_id = ${organizationId}`;
  return sql`d.organization_id = ${organizationId} and ${isGranted({ ...reach, formId: sql`d.form_id` })} and exists (
    select 1 from integrations own where own.id = d.integration_id and own.partner_id = ${reach.partnerId})`;
}

const isGranted = ({ organizationId, partnerId, formId }: { organizationId: Id<'org'>; partnerId: Id<'usr'>; formId: Sql }): Sql => sql`exists (
  select 1 from form_grants g join memberships m on m.id = g.membership_id
  where g.form_id = ${formId} and m.organization_id = ${organizationId} and m.user_id = ${partnerId})`;

/** As `formsIn`, for a `where` of the entity Form. */
export function formsWhere(reach: OrganizationReach): { organizationId: Id<'org'>; $and?: { id: { $in: RawQueryFragment } }[] } {
  const { organizationId } = reach;
  return reach.kind === 'all' ? { organizationId } : { organizationId, $and: [{ id: { $in: grantedForms(reach) } }] };
}

/** For a `where` of the entity Integration; deleted ones too. */
export function integrationsWhere(reach: OrganizationReach): { organizationId: Id<'org'>; $and?: { partnerId: Id<'usr'>; formId: { $in: RawQueryFragment } }[] } {
  const { organizationId } = reach;
  if (reach.kind === 'all') return { organizationId };
  return { organizationId, $and: [{ partnerId: reach.partnerId, formId: { $in: grantedForms(reach) } }] };
}

const grantedForms = ({ organizationId, partnerId }: { organizationId: Id<'org'>; partnerId: Id<'usr'> }): RawQueryFragment =>
  raw(
    '(select g.form_id from form_grants g join memberships m on m.id = g.membership_id where m.organization_id = ? and m.user_id = ?)',
    [organizationId, partnerId],
  );
