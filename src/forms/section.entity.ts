import { defineEntity, p } from '@mikro-orm/core';
import { idColumn, timeColumn } from '../columns.ts';
import { Form } from './form.entity.ts';

const SectionSchema = defineEntity({
  name: 'Section',
  tableName: 'sections',
  properties: {
    id: idColumn<'sec'>().primary(),
    formId: () => p.manyToOne(Form).mapToPk().fieldNames('form_id').index(),
    createdAt: timeColumn(),
    removedAt: timeColumn().nullable(),
  },
});

/** Tells which form a section belongs to; what it says stands in the form's versions. */
export class Section extends SectionSchema.class {}
SectionSchema.setClass(Section);
