import { Migration } from '@mikro-orm/migrations';

/** Sessions with their refresh tokens, and the counts that bound the guessing of passwords. */
export class Sessions extends Migration {
  override up(): void {
    this.addSql(`
      create table sessions (
        id text collate "C" not null,
        user_id text collate "C" not null,
        created_at timestamptz(3) not null,
        expires_at timestamptz(3) not null,
        primary key (id)
      );
      create index sessions_user_id_index on sessions (user_id);
      create index sessions_expires_at_index on sessions (expires_at);
      create table refresh_tokens (
        hash text collate "C" not null,
        session_id text collate "C" not null,
        created_at timestamptz(3) not null,
        used_at timestamptz(3) null,
        primary key (hash)
      );
      create index refresh_tokens_session_id_index on refresh_tokens (session_id);
      create table login_attempts (
        key text collate "C" not null,
        count int not null,
        resets_at timestamptz(3) not null,
        primary key (key)
      );
      create index login_attempts_resets_at_index on login_attempts (resets_at);
      alter table sessions add constraint sessions_user_id_foreign foreign key (user_id) references users (id);
      alter table refresh_tokens add constraint refresh_tokens_session_id_foreign
        foreign key (session_id) references sessions (id) on delete cascade;
    `);
  }
}
