import { Migration } from '@mikro-orm/migrations';

/**
 * How many responses a form takes, and how many of these places are taken. A row of its own, not a column of the form:
 * it is locked and rewritten by each statement that writes responses of a limited form, and read by nothing else.
 */
export class MaxResponses extends Migration {
  override up(): void {
    this.addSql(`
      alter table forms add column max_responses int null;
      create table form_places (
        form_id text collate "C" not null,
        taken int null,
        primary key (form_id)
      );
      alter table form_places set (fillfactor = 50);
    `);
  }
}
