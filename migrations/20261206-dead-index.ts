import { Migration } from '@mikro-orm/migrations';

/** The dead among the deliveries, newest first: counted for the metrics without a look at all the others. */
export class DeadIndex extends Migration {
  override up(): void {
    this.addSql(`create index deliveries_dead_index on deliveries (finished_at) where status = 'dead'`);
  }
}
