import { defineEntity, p } from '@mikro-orm/core';
import { idColumn, jsonColumn, timeColumn } from '../columns.ts';
import { Organization } from '../accounts/organization.entity.ts';
import { User } from '../accounts/user.entity.ts';

export const formStatuses = ['draft', 'open', 'closing', 'closed'] as const;
export type FormStatus = (typeof formStatuses)[number];

/** Members of a respondent by which a form can tell one from another. */
export const respondentIdentities = ['mobile', 'email', 'key'] as const;
export type RespondentIdentity = (typeof respondentIdentities)[number];

const FormSchema = defineEntity({
  name: 'Form',
  tableName: 'forms',
  properties: {
    id: idColumn<'form'>().primary(),
    organizationId: () => p.manyToOne(Organization).mapToPk().fieldNames('organization_id'),
    ownerId: () => p.manyToOne(User).mapToPk().fieldNames('owner_id'),
    title: p.text(),
    description: p.text().nullable(),
    email: p.text().nullable(),
    metadata: jsonColumn(),
    status: p.text().$type<FormStatus>(),
    /** By the database's clock: from then on, and until right before. */
    opensAt: timeColumn().nullable(),
    closesAt: timeColumn().nullable(),
    /** When `status` became closing; null while it is not. */
    closingSince: timeColumn().nullable(),
    /** Responses, not counting further revisions; null: any number. */
    maxResponses: p.integer().nullable(),
    /** Takes one response of each, told apart by this; null: any number. */
    oneResponsePer: p.text().$type<RespondentIdentity>().nullable(),
    /** Grows with whatever decides which responses are taken: what was checked under an older one is not written. */
    intakeVersion: p.integer().default(0),
    /** The number of the version that is answered now. */
    version: p.integer(),
    createdAt: timeColumn(),
    updatedAt: timeColumn(),
    /** Set instead of removing the row: its responses and their deliveries stay known. */
    deletedAt: timeColumn().nullable(),
  },
  indexes: [{ properties: ['organizationId', 'id'] }],
});

export class Form extends FormSchema.class {}
FormSchema.setClass(Form);
