import { Migration } from '@mikro-orm/migrations';

/** What outside services say of deliveries after they took them. */
export class Trackings extends Migration {
  override up(): void {
    this.addSql(`
      create table trackings (
        integration_id text collate "C" not null,
        event_id text collate "C" not null,
        reference text not null,
        status text not null,
        rank int not null,
        is_final boolean not null,
        detail text null,
        noted_at timestamptz(3) not null,
        follow_at timestamptz(3) null,
        follows smallint not null,
        primary key (integration_id, event_id)
      );
      create index trackings_follow_at_index on trackings (follow_at) where follow_at is not null;
      alter table trackings enable row level security;
      create policy trackings_of_organization on trackings for select to formwire_reader
        using (exists (select 1 from integrations i where i.id = integration_id));
      grant select on trackings to formwire_reader;
    `);
  }
}
