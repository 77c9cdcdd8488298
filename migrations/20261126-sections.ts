import { Migration } from '@mikro-orm/migrations';

/** Sections of forms, the conditions under which questions are asked, and texts in further languages. */
export class Sections extends Migration {
  override up(): void {
    this.addSql(`
      create table sections (
        id text collate "C" not null,
        form_id text collate "C" not null,
        created_at timestamptz(3) not null,
        removed_at timestamptz(3) null,
        primary key (id)
      );
      create index sections_form_id_index on sections (form_id);
      alter table sections add constraint sections_form_id_foreign foreign key (form_id) references forms (id);
      alter table questions add column section_id text collate "C" null;
      alter table questions add column visible_when text null;
      alter table questions add column translations jsonb not null default '[]';
      alter table choices add column translations jsonb not null default '[]';
    `);
  }
}
