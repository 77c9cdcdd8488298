import { Migration } from '@mikro-orm/migrations';

/** Keys that programs prove themselves with. */
export class ApiKeys extends Migration {
  override up(): void {
    this.addSql(`
      create table api_keys (
        id text collate "C" not null,
        organization_id text collate "C" not null,
        created_by_id text collate "C" not null,
        name text not null,
        prefix text not null,
        hash text collate "C" not null,
        scopes jsonb not null,
        created_at timestamptz(3) not null,
        expires_at timestamptz(3) null,
        last_used_at timestamptz(3) null,
        revoked_at timestamptz(3) null,
        primary key (id)
      );
      create index api_keys_created_by_id_index on api_keys (created_by_id);
      create index api_keys_organization_id_id_index on api_keys (organization_id, id);
      alter table api_keys add constraint api_keys_hash_unique unique (hash);
      alter table api_keys add constraint api_keys_organization_id_foreign foreign key (organization_id) references organizations (id);
      alter table api_keys add constraint api_keys_created_by_id_foreign foreign key (created_by_id) references users (id);
    `);
  }
}
