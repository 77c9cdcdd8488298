import type { Pool } from 'pg';
import type { Id } from '../events/id.ts';

const insert = `
  with holder as (
    select id, organization_id from users where id = $2 and password_hash = $3 for share
  ), opened as (
    insert into sessions (id, user_id, organization_id, created_at, expires_at)
    select $1, h.id, coalesce(
      (select m.organization_id from memberships m where m.user_id = h.id order by m.organization_id <> h.organization_id, m.id limit 1),
      h.organization_id
    ), $5, $6
    from holder h
    returning id
  )
  insert into refresh_tokens (hash, session_id, created_at) select $4, id, $5 from opened`;

export interface NewSession {
  id: Id<'ses'>;
  userId: Id<'usr'>;
  /** What the password was checked against: where it is another by now, no session is opened. */
  passwordHash: string;
  refreshTokenHash: string;
  now: Date;
  expiresAt: Date;
}

/**
 * Opens a session in the organisation its user worked in last, or else in another one they are a member of. Answers
 * whether the password was still the one that was checked. The share lock makes a change of the password wait, and then find this session.
 */
export async function insertSession(pool: Pool, session: NewSession): Promise<boolean> {
  const { id, userId, passwordHash, refreshTokenHash, now, expiresAt } = session;
  const values = [id, userId, passwordHash, refreshTokenHash, now, expiresAt];
  const { rowCount } = await pool.query({ name: 'insert-session', text: insert, values });
  return rowCount === 1;
}

/** The session's row is locked first, as by whoever ends it, so that neither waits for the other in turn. */
const rotate = `
  with session as (
    select s.id from sessions s join refresh_tokens t on t.session_id = s.id
    where t.hash = $1 and s.expires_at > $3
    for update of s
  ), used as (
    update refresh_tokens t set used_at = $3 from session where t.hash = $1 and t.used_at is null returning t.session_id
  ), forgotten as (
    delete from refresh_tokens t using used where t.session_id = used.session_id and t.created_at < $5
  ), next as (
    insert into refresh_tokens (hash, session_id, created_at) select $2, session_id, $3 from used
  )
  update sessions s set expires_at = $4 from used where s.id = used.session_id
  returning s.id, s.user_id as "userId"`;

export interface Rotation {
  hash: string;
  nextHash: string;
  now: Date;
  expiresAt: Date;
  /** Tokens that were given before this have long expired. */
  forgetBefore: Date;
}

/** Takes a refresh token for the next one. Of several callers with the same token one succeeds. */
export async function rotateRefreshToken(pool: Pool, rotation: Rotation): Promise<{ id: Id<'ses'>; userId: Id<'usr'> } | undefined> {
  const { hash, nextHash, now, expiresAt, forgetBefore } = rotation;
  const { rows } = await pool.query<{ id: Id<'ses'>; userId: Id<'usr'> }>({
    name: 'rotate-refresh-token',
    text: rotate,
    values: [hash, nextHash, now, expiresAt, forgetBefore],
  });
  return rows[0];
}

/** Ends the session that a used refresh token belongs to; answers its id. */
export async function endReused(pool: Pool, hash: string): Promise<Id<'ses'> | undefined> {
  const { rows } = await pool.query<{ id: Id<'ses'> }>({
    name: 'end-reused-session',
    text: `delete from sessions s using refresh_tokens t where t.hash = $1 and t.used_at is not null and s.id = t.session_id returning s.id`,
    values: [hash],
  });
  return rows[0]?.id;
}

/** Ends the session that a refresh token belongs to, whether the token was used or not. */
export async function endSessionOfToken(pool: Pool, hash: string): Promise<number> {
  const text = 'delete from sessions s using refresh_tokens t where t.hash = $1 and s.id = t.session_id';
  const { rowCount } = await pool.query({ name: 'end-session-of-token', text, values: [hash] });
  return rowCount ?? 0;
}

/** Ends one session of a user, or all. */
export async function endSessions(pool: Pool, which: { userId: Id<'usr'>; sessionId?: Id<'ses'> | undefined }): Promise<number> {
  const text = 'delete from sessions where user_id = $1 and ($2::text is null or id = $2)';
  const { rowCount } = await pool.query({ name: 'end-sessions', text, values: [which.userId, which.sessionId ?? null] });
  return rowCount ?? 0;
}

/** Lets a session go on in another organisation, and the next one of its user begin there. Answers whether they are a member. */
export async function moveSession(pool: Pool, move: { sessionId: Id<'ses'>; organizationId: Id<'org'> }): Promise<boolean> {
  const text = `
    with moved as (
      update sessions s set organization_id = m.organization_id from memberships m
      where s.id = $1 and m.user_id = s.user_id and m.organization_id = $2
      returning s.user_id, s.organization_id
    ), remembered as (
      update users u set organization_id = moved.organization_id from moved where u.id = moved.user_id
    )
    select 1 from moved`;
  const { rowCount } = await pool.query({ name: 'move-session', text, values: [move.sessionId, move.organizationId] });
  return rowCount === 1;
}
