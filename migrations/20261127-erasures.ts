import { Migration } from '@mikro-orm/migrations';

/**
 * What is left of erased responses: their rows, emptied, with when and by whom; by which client ids they are known
 * again; and the events that must not go out any more although a dispatcher or the stream may still have them.
 */
export class Erasures extends Migration {
  override up(): void {
    this.addSql(`
      alter table responses add column erased_at timestamptz(3) null, add column erased_by_id text collate "C" null;
      create table erased_client_ids (
        form_id text collate "C" not null,
        hash text collate "C" not null,
        primary key (form_id, hash)
      );
      create table erased_events (
        event_id text collate "C" not null,
        position bigint not null,
        erased_at timestamptz(3) not null,
        primary key (event_id)
      );
    `);
  }
}
