import { defineEntity, p, PrimaryKeyProp } from '@mikro-orm/core';
import { Membership } from '../accounts/membership.entity.ts';
import { Form } from './form.entity.ts';

const FormGrantSchema = defineEntity({
  name: 'FormGrant',
  tableName: 'form_grants',
  properties: {
    membershipId: () => p.manyToOne(Membership).mapToPk().fieldNames('membership_id').primary().deleteRule('cascade'),
    formId: () => p.manyToOne(Form).mapToPk().fieldNames('form_id').primary().index(),
  },
});

/** That a partner sees a form, and may connect webhooks of its own to it. */
export class FormGrant extends FormGrantSchema.class {
  declare [PrimaryKeyProp]?: ['membershipId', 'formId'];
}
FormGrantSchema.setClass(FormGrant);
