import { Migration } from '@mikro-orm/migrations';

/** What providers stand on: durable notes of each integration, and the turns that all processes take at an outside quota. */
export class ProviderGround extends Migration {
  override up(): void {
    this.addSql(`
      create table ledger (
        integration_id text collate "C" not null,
        key text collate "C" not null,
        place int null,
        state jsonb null,
        noted_at timestamptz(3) not null,
        primary key (integration_id, key)
      );
      alter table ledger add constraint ledger_integration_id_place_unique unique (integration_id, place);
      create table ledger_counters (
        integration_id text collate "C" not null,
        next_place int not null,
        primary key (integration_id)
      );
      create table quotas (
        name text collate "C" not null,
        next_at timestamptz not null,
        primary key (name)
      );
      alter table quotas set (fillfactor = 50);
      alter table ledger_counters set (fillfactor = 50);
    `);
  }
}
