import { defineEntity, p, PrimaryKeyProp } from '@mikro-orm/core';
import { jsonColumn, timeColumn } from '../columns.ts';
import { User } from '../accounts/user.entity.ts';
import { Form } from './form.entity.ts';
import type { FormDefinition } from './form-definition.ts';

const FormVersionSchema = defineEntity({
  name: 'FormVersion',
  tableName: 'form_versions',
  properties: {
    formId: () => p.manyToOne(Form).mapToPk().fieldNames('form_id').primary(),
    number: p.integer().primary(),
    definition: jsonColumn<FormDefinition>(),
    createdAt: timeColumn(),
    /** Null: from before this was kept. */
    createdById: () => p.manyToOne(User).mapToPk().fieldNames('created_by_id').nullable().deleteRule('no action'),
  },
});

/** What a form asked at one time; never changed, so that a response's questions stay known. */
export class FormVersion extends FormVersionSchema.class {
  declare [PrimaryKeyProp]?: ['formId', 'number'];
}
FormVersionSchema.setClass(FormVersion);
