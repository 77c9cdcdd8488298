import { Migration } from '@mikro-orm/migrations';

/** When a form takes responses: from and until what time, since when it is closing, and how often this has changed. */
export class FormIntake extends Migration {
  override up(): void {
    this.addSql(`
      alter table forms
        add column opens_at timestamptz(3) null,
        add column closes_at timestamptz(3) null,
        add column closing_since timestamptz(3) null,
        add column intake_version int not null default 0;
    `);
  }
}
