import { defineEntity, p } from '@mikro-orm/core';
import { idColumn, jsonColumn, timeColumn } from '../columns.ts';
import type { Translation } from './form-definition.ts';
import { Question } from './question.entity.ts';

const ChoiceSchema = defineEntity({
  name: 'Choice',
  tableName: 'choices',
  properties: {
    id: idColumn<'ch'>().primary(),
    questionId: () => p.manyToOne(Question).mapToPk().fieldNames('question_id').index(),
    text: p.text(),
    translations: jsonColumn<Translation[]>().default('[]'),
    metadata: jsonColumn(),
    position: p.integer(),
    createdAt: timeColumn(),
    removedAt: timeColumn().nullable(),
  },
});

export class Choice extends ChoiceSchema.class {}
ChoiceSchema.setClass(Choice);
