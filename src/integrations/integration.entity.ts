import { defineEntity, p } from '@mikro-orm/core';
import { idColumn, jsonColumn, timeColumn } from '../columns.ts';
import type { EventType } from '../events/event.ts';
import { Organization } from '../accounts/organization.entity.ts';
import { User } from '../accounts/user.entity.ts';
import { Form } from '../forms/form.entity.ts';

/**
 * active: delivered to · failing: its receiver is down, only probed · paused: by its owner · disabled: broken, needs
 * its owner. Deliveries of all but the first wait as pending.
 */
export const integrationStatuses = ['active', 'failing', 'paused', 'disabled'] as const;
export type IntegrationStatus = (typeof integrationStatuses)[number];

/** The types of events that an integration got of those accepted at a lower version than `until`, and no lower than its past before. */
export interface PastEvents {
  until: number;
  events: EventType[];
}

const IntegrationSchema = defineEntity({
  name: 'Integration',
  tableName: 'integrations',
  properties: {
    id: idColumn<'intg'>().primary(),
    organizationId: () => p.manyToOne(Organization).mapToPk().fieldNames('organization_id'),
    /** Null: every form of the organisation. */
    formId: () => p.manyToOne(Form).mapToPk().fieldNames('form_id').nullable().deleteRule('no action'),
    /** The partner who made it, and to whom it sends; null: it is the organisation's own. */
    partnerId: () => p.manyToOne(User).mapToPk().fieldNames('partner_id').nullable().deleteRule('no action'),
    provider: p.text(),
    name: p.text(),
    status: p.text().$type<IntegrationStatus>(),
    statusReason: p.text().nullable(),
    events: jsonColumn<EventType[]>(),
    /** What it asked for before, oldest first. */
    pastEvents: jsonColumn<PastEvents[]>().default('[]'),
    settings: jsonColumn<unknown>(),
    /** Signing keys, newest first. */
    secrets: jsonColumn<string[]>(),
    /** The organisation's integrations version it was created at: it gets the events accepted from then on. */
    sinceVersion: p.integer(),
    createdAt: timeColumn(),
    updatedAt: timeColumn(),
    deletedAt: timeColumn().nullable(),
  },
  indexes: [{ properties: ['organizationId', 'formId'] }, { properties: ['formId'] }, { properties: ['partnerId'] }],
});

/** The configured connection of a form, or of all forms of an organisation, to an outside service. */
export class Integration extends IntegrationSchema.class {}
IntegrationSchema.setClass(Integration);
