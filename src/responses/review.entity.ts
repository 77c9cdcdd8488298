import { defineEntity, p } from '@mikro-orm/core';
import { idColumn, timeColumn } from '../columns.ts';

/** Every response begins, and after each further revision begins again, as received. */
export const reviewStates = ['received', 'in review', 'approved', 'rejected'] as const;
export type ReviewState = (typeof reviewStates)[number];

const ReviewSchema = defineEntity({
  name: 'Review',
  tableName: 'reviews',
  properties: {
    id: idColumn<'rvw'>().primary(),
    familyId: idColumn<'resp'>(),
    /** The current one then: what was looked at. */
    revision: p.integer(),
    state: p.text().$type<ReviewState>(),
    comment: p.text().nullable(),
    reviewedById: idColumn<'usr'>(),
    createdAt: timeColumn(),
  },
  indexes: [{ properties: ['familyId', 'id'] }],
});

/** What a member found of a response, never changed: a further review takes its place. */
export class Review extends ReviewSchema.class {}
ReviewSchema.setClass(Review);
