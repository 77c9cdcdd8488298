import { Migration } from '@mikro-orm/migrations';

/** What answers to a question must keep to, beyond the bounds of a number. */
export class QuestionConstraints extends Migration {
  override up(): void {
    this.addSql(`alter table questions add column constraints jsonb not null default '{}';`);
  }
}
