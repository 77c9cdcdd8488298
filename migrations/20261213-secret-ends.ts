import { Migration } from '@mikro-orm/migrations';

/**
 * When the signing keys of an integration end that a newer one has taken the place of. They stay in `secrets`, in a list
 * of texts as before: an older version that still runs, or comes back, signs with all of them and loses nothing.
 */
export class SecretEnds extends Migration {
  override up(): void {
    this.addSql(`alter table integrations add column secret_ends jsonb not null default '[]';`);
    this.addSql(`create index integrations_secret_ends_index on integrations (id) where secret_ends <> '[]';`);
  }
}
