import { Migration } from '@mikro-orm/migrations';

/** What rules have against a response. Null where there is nothing: the many that are not flagged have no index to enter. */
export class Flags extends Migration {
  override up(): void {
    this.addSql(`
      alter table responses add column flags jsonb null;
      create index responses_flags_index on responses (form_id, (flags is not null), id) where flags is not null;
    `);
  }
}
