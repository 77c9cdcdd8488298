import { Migration } from '@mikro-orm/migrations';

/** Token buckets that the API's processes share. Unlogged: after a crash of the server every bucket is full again. */
export class RateBuckets extends Migration {
  override up(): void {
    this.addSql(`
      create unlogged table rate_buckets (
        key text collate "C" not null,
        tokens double precision not null,
        updated_at timestamptz(3) not null,
        full_at timestamptz(3) not null,
        granted double precision not null,
        primary key (key)
      );
      alter table rate_buckets set (fillfactor = 50);
    `);
  }
}
