import { defineEntity, p } from '@mikro-orm/core';
import { idColumn, jsonColumn, timeColumn } from '../columns.ts';
import type { QuestionConstraints, QuestionKind, Translation } from './form-definition.ts';
import { Form } from './form.entity.ts';

const QuestionSchema = defineEntity({
  name: 'Question',
  tableName: 'questions',
  properties: {
    id: idColumn<'q'>().primary(),
    formId: () => p.manyToOne(Form).mapToPk().fieldNames('form_id').index(),
    key: p.text(),
    text: p.text(),
    kind: p.text().$type<QuestionKind>(),
    required: p.boolean(),
    min: p.double().$type<number>().nullable(),
    max: p.double().$type<number>().nullable(),
    constraints: jsonColumn<QuestionConstraints>().default('{}'),
    /** A section of the form; null: none. */
    sectionId: idColumn<'sec'>().nullable(),
    visibleWhen: p.text().nullable(),
    translations: jsonColumn<Translation[]>().default('[]'),
    metadata: jsonColumn(),
    /** Order in the form, from 0. */
    position: p.integer(),
    createdAt: timeColumn(),
    updatedAt: timeColumn(),
    /** Set instead of removing the row: earlier answers still name their question. */
    removedAt: timeColumn().nullable(),
  },
});

/** A question as it is now; how it was in an earlier version stands in that version. */
export class Question extends QuestionSchema.class {}
QuestionSchema.setClass(Question);
