import { Migration } from '@mikro-orm/migrations';

/**
 * Reviews, and where a response stands in them. Its state is in the index that lists go through, so that one that asks
 * for a state passes the others by without looking at their rows, and a new response has no further index to enter;
 * those that have a state are found by it at once.
 */
export class Reviews extends Migration {
  override up(): void {
    this.addSql(`
      alter table responses add column review_state text null;
      drop index responses_form_id_id_index;
      create index responses_form_id_id_review_state_index on responses (form_id, id, review_state);
      create index responses_review_state_index on responses (form_id, review_state, id) where review_state is not null;
      create table reviews (
        id text collate "C" not null,
        family_id text collate "C" not null,
        revision int not null,
        state text not null,
        comment text null,
        reviewed_by_id text collate "C" not null,
        created_at timestamptz(3) not null,
        primary key (id)
      );
      create index reviews_family_id_id_index on reviews (family_id, id);
    `);
  }
}
