import { Migration } from '@mikro-orm/migrations';

/** What tells whether every event came to where it was due, and what did not. */
export class Completeness extends Migration {
  override up(): void {
    this.addSql(`alter table changes add column integrations_version int null;`);
    this.addSql(`create index changes_position_index on changes (position);`);
    // an event that is put back into the outbox has its change already
    this.addSql(`
      create or replace function keep_change() returns trigger language plpgsql as $$
      begin
        insert into changes (form_id, position, event_id, type, response_id, created_at, integrations_version)
        values (new.form_id, new.position, new.event_id, new.type, new.response_id, new.created_at, new.integrations_version)
        on conflict do nothing;
        return null;
      end $$;
    `);
    this.addSql(`
      create table missing_deliveries (
        event_id text collate "C" not null,
        integration_id text collate "C" not null,
        form_id text collate "C" not null,
        response_id text collate "C" not null,
        position bigint not null,
        found_at timestamptz(3) not null,
        primary key (event_id, integration_id)
      );
      alter table missing_deliveries enable row level security;
      create table completeness_walks (
        name text not null primary key,
        reached text collate "C" not null,
        walked_at timestamptz(3) not null
      );
      alter table completeness_walks enable row level security;
    `);
  }
}
