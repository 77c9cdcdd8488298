import { Migration } from '@mikro-orm/migrations';

/** Which processes run, for operators. */
export class Processes extends Migration {
  override up(): void {
    this.addSql(`
      create table processes (
        id text collate "C" not null,
        host text not null,
        pid int not null,
        roles text[] not null,
        version text not null,
        url text not null,
        reasons text[] not null,
        clock_ahead_ms int not null,
        dispatcher_id text collate "C" null,
        started_at timestamptz(3) not null,
        seen_at timestamptz(3) not null,
        expires_at timestamptz(3) not null,
        primary key (id)
      );
    `);
  }
}
