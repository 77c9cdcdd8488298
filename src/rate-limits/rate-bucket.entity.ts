import { defineEntity, p } from '@mikro-orm/core';
import { timeColumn } from '../columns.ts';

const RateBucketSchema = defineEntity({
  name: 'RateBucket',
  tableName: 'rate_buckets',
  properties: {
    /** A hash of what is limited, so that no address is kept. */
    key: p.text().columnType('text').collation('C').primary(),
    /** At `updatedAt`; below zero where more was used than was there. */
    tokens: p.double(),
    updatedAt: timeColumn(),
    /** From then on it is full, and the same as no row. */
    fullAt: timeColumn(),
    /** What the last lease got. */
    granted: p.double(),
  },
});

/** What all processes together may still let through of one caller or form. */
export class RateBucket extends RateBucketSchema.class {}
RateBucketSchema.setClass(RateBucket);
