import { defineEntity } from '@mikro-orm/core';
import { idColumn, timeColumn } from '../columns.ts';

const DispatcherHeartbeatSchema = defineEntity({
  name: 'DispatcherHeartbeat',
  tableName: 'dispatchers',
  properties: {
    id: idColumn<'dsp'>().primary(),
    expiresAt: timeColumn(),
  },
});

/** A dispatcher that is alive; how many there are decides how many partitions each takes. */
export class DispatcherHeartbeat extends DispatcherHeartbeatSchema.class {}
DispatcherHeartbeatSchema.setClass(DispatcherHeartbeat);
