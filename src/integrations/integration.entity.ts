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

/** That a dead delivery is tried again so long after it died, and so many times. */
export interface DeadRedrive {
  everyMs: number;
  times: number;
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
    /** What was wrong with it when it was last connected, beside how its receiver is; null: nothing. */
    fault: p.text().nullable(),
    /** Where people find what `connect` made. */
    resourceUrl: p.text().nullable(),
    events: jsonColumn<EventType[]>(),
    /** What it asked for before, oldest first. */
    pastEvents: jsonColumn<PastEvents[]>().default('[]'),
    settings: jsonColumn<unknown>(),
    /** When what is dead is tried again by itself; null: never. */
    deadRedrive: jsonColumn<DeadRedrive>().nullable(),
    /** Signing keys, newest first. */
    secrets: jsonColumn<string[]>(),
    /** When those after the newest end, see `SigningSecrets`. */
    secretEnds: jsonColumn<string[]>().default('[]'),
    /** The organisation's integrations version it was created at: it gets the events accepted from then on. */
    sinceVersion: p.integer(),
    createdAt: timeColumn(),
    updatedAt: timeColumn(),
    deletedAt: timeColumn().nullable(),
  },
  indexes: [
    { properties: ['organizationId', 'formId'] },
    { properties: ['formId'] },
    { properties: ['partnerId'] },
    {
      name: 'integrations_dead_redrive_index',
      expression: `create index "integrations_dead_redrive_index" on "integrations" ("id") where dead_redrive is not null`,
    },
    {
      name: 'integrations_secret_ends_index',
      expression: `create index "integrations_secret_ends_index" on "integrations" ("id") where secret_ends <> '[]'`,
    },
  ],
});

/** The configured connection of a form, or of all forms of an organisation, to an outside service. */
export class Integration extends IntegrationSchema.class {}
IntegrationSchema.setClass(Integration);
