import { Migration } from '@mikro-orm/migrations';

/** What tells, when an outbox row is gone, to whom its event was due. */
export class EventPlaces extends Migration {
  override up(): void {
    this.addSql(`
      alter table responses add column position bigint null, add column integrations_version int null;
      alter table integrations add column past_events jsonb not null default '[]';
    `);
  }
}
