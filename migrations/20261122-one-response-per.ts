import { Migration } from '@mikro-orm/migrations';

/** By what a form tells respondents apart, and of each response whose it is, where its form takes one of each. */
export class OneResponsePer extends Migration {
  override up(): void {
    this.addSql(`
      alter table forms add column one_response_per text null;
      alter table responses add column respondent_key text collate "C" null;
      create unique index responses_respondent_key_index on responses (form_id, respondent_key) where respondent_key is not null;
    `);
  }
}
