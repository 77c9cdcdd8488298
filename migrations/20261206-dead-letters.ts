import { Migration } from '@mikro-orm/migrations';

/** What failed in a word, who sent it again, and how often what is dead is tried again by itself. */
export class DeadLetters extends Migration {
  override up(): void {
    this.addSql(`
      alter table deliveries
        add column error_class text null,
        add column redelivered_at timestamptz(3) null,
        add column redelivered_by text null,
        add column redelivered_by_id text collate "C" null,
        add column redrives smallint not null default 0;
      update deliveries d set error_class = a.error_class from attempts a
      where d.status in ('dead', 'pending') and a.delivery_id = d.id and a.number = d.attempts;
      create index deliveries_dead_of_form_index on deliveries (form_id, id) include (integration_id, error_class, finished_at) where status = 'dead';
      create index deliveries_redrive_index on deliveries (integration_id, redrives, finished_at) where status = 'dead';
      alter table integrations add column dead_redrive jsonb null;
      create index integrations_dead_redrive_index on integrations (id) where dead_redrive is not null;
    `);
  }
}
