import { Migration } from '@mikro-orm/migrations';

/**
 * Every response has a place in the order of all events, by which they are listed and told to subscribers. Those whose
 * place was not kept come before all others, in the order of their ids.
 *
 * What else happens to responses is kept in its order too. A trigger writes it down: there are several statements that
 * put an event into the outbox, and none can forget. For the most frequent one it has no cost, but for the comparison.
 */
export class Positions extends Migration {
  override up(): void {
    this.addSql(`
      update responses r set position = o.position from outbox o
      where r.position is null and o.response_id = r.id and o.type in ('response.created', 'response.amended');
    `);
    this.addSql(`
      update responses r set position = earlier.place
      from (select id, row_number() over (order by id) - count(*) over () as place from responses where position is null) earlier
      where r.id = earlier.id;
    `);
    this.addSql(`alter table responses alter column position set default nextval('outbox_position_seq'::regclass), alter column position set not null;`);
    this.addSql(`drop index responses_form_id_id_review_state_index;`);
    this.addSql(`create index responses_form_id_position_review_state_index on responses (form_id, position, review_state);`);
    this.addSql(`drop index responses_flags_index;`);
    this.addSql(`create index responses_flags_index on responses (form_id, (flags is not null), position) where flags is not null;`);
    this.addSql(`drop index responses_review_state_index;`);
    this.addSql(`create index responses_review_state_index on responses (form_id, review_state, position) where review_state is not null;`);
    this.addSql(`
      create table changes (
        form_id text collate "C" not null,
        position bigint not null,
        event_id text collate "C" not null,
        type text not null,
        response_id text collate "C" not null,
        created_at timestamptz(3) not null,
        primary key (form_id, position)
      );
      create function keep_change() returns trigger language plpgsql as $$
      begin
        insert into changes (form_id, position, event_id, type, response_id, created_at)
        values (new.form_id, new.position, new.event_id, new.type, new.response_id, new.created_at);
        return null;
      end $$;
      create trigger outbox_keep_change after insert on outbox for each row
        when (new.type <> 'response.created') execute function keep_change();
      alter table changes enable row level security;
      create policy changes_of_organization on changes for select to formwire_reader
        using (exists (select 1 from forms f where f.id = form_id));
      grant select on changes to formwire_reader;
    `);
  }
}
