import { Migration } from '@mikro-orm/migrations';

/** Stretches of events that are sent again, by jobs, and the deliveries that they send. */
export class Replays extends Migration {
  override up(): void {
    this.addSql(`
      create table replays (
        id text collate "C" not null,
        organization_id text collate "C" not null,
        form_id text collate "C" not null,
        task jsonb not null,
        send_sms boolean not null,
        total int not null,
        actions jsonb not null,
        created_at timestamptz(3) not null,
        paused_at timestamptz(3) null,
        canceled_at timestamptz(3) null,
        primary key (id)
      );
      create index replays_form_id_id_index on replays (form_id, id);
      alter table replays enable row level security;
      create policy replays_of_organization on replays for select to formwire_reader
        using (organization_id = (select current_setting('formwire.organization_id', true)));
      grant select on replays to formwire_reader;

      alter table jobs add column replay_id text collate "C" null;
      create index jobs_replay_index on jobs (replay_id) where replay_id is not null;

      alter table deliveries add column replay_id text collate "C" null, add column replayed_from text null;
    `);
  }
}
