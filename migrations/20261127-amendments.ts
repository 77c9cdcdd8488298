import { Migration } from '@mikro-orm/migrations';

/** Who amended a response: told of each revision that did not come in by itself. */
export class Amendments extends Migration {
  override up(): void {
    this.addSql(`alter table responses add column amended_by_id text collate "C" null;`);
  }
}
