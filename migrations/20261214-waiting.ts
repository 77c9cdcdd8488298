import { Migration } from '@mikro-orm/migrations';

/**
 * Which pending delivery waits for longest: those of no replay, and of each replay, in the order in which they came or
 * were sent again. Without it the metrics would have to read all of them to be right.
 *
 * It has pending rows alone, and columns that no attempt changes: recording and claiming cost what they did. Making it
 * reads the table once, while nothing is recorded.
 */
export class Waiting extends Migration {
  override up(): void {
    this.addSql(`create index deliveries_waiting_index on deliveries (replay_id, greatest(created_at, redelivered_at)) where status = 'pending';`);
  }
}
