import { defineEntity, p } from '@mikro-orm/core';
import { idColumn, timeColumn } from '../columns.ts';

const PartitionLeaseSchema = defineEntity({
  name: 'PartitionLease',
  tableName: 'partition_leases',
  properties: {
    partition: p.smallint().primary().autoincrement(false),
    owner: idColumn<'dsp'>().nullable(),
    /** Grows with each change of hands; a write that carries an older one is void. */
    epoch: p.integer().default(0),
    expiresAt: timeColumn().nullable(),
  },
});

/** Which dispatcher owns a partition, by the database's clock. */
export class PartitionLease extends PartitionLeaseSchema.class {}
PartitionLeaseSchema.setClass(PartitionLease);
