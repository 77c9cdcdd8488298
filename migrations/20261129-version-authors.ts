import { Migration } from '@mikro-orm/migrations';

/** Who made a version of a form; unknown for those from before. */
export class VersionAuthors extends Migration {
  override up(): void {
    this.addSql(`
      alter table form_versions add column created_by_id text collate "C" null;
      alter table form_versions add constraint form_versions_created_by_id_foreign foreign key (created_by_id) references users (id) on delete no action;
    `);
  }
}
