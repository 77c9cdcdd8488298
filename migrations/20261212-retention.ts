import { Migration } from '@mikro-orm/migrations';

/**
 * What the notes of providers, and what services said of deliveries, are forgotten by. Of the notes there are, those of
 * the SMS provider that count a day's messages or remember an opt-out are of use for a week at most.
 */
export class Retention extends Migration {
  override up(): void {
    this.addSql(`alter table ledger add column forget_at timestamptz(3) null;`);
    this.addSql(`
      update ledger set forget_at = ledger.noted_at + interval '8 days' from integrations i
      where i.provider = 'sms' and ledger.integration_id = i.id
        and (ledger.key >= 'day:' and ledger.key < 'day;' or ledger.key >= 'stop:' and ledger.key < 'stop;');
    `);
    this.addSql(`create index ledger_forget_at_index on ledger (forget_at) where forget_at is not null;`);
    this.addSql(`create index trackings_noted_at_index on trackings (noted_at) where follow_at is null;`);
  }
}
