import { Migration } from '@mikro-orm/migrations';

/** Whether a revision's flags were an event, and its place. */
export class FlagsPosition extends Migration {
  override up(): void {
    this.addSql('alter table responses add column flags_position bigint null;');
  }
}
