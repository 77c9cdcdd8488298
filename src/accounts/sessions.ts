import type { Pool } from 'pg';
import { newId, type Id } from '../events/id.ts';
import type { Log } from '../log.ts';
import { UserError } from '../user-error.ts';
import type { AccessTokens } from './access-tokens.ts';
import { hashOfSecret, newSecretToken } from './secret-token.ts';
import { endReused, endSessionOfToken, endSessions, insertSession, moveSession, rotateRefreshToken } from './session-rows.ts';
import type { Standings } from './standings.ts';

/** What the holder of a session is given: a token for the next hour, and one that gets the next pair. */
export interface SessionTokens {
  sessionId: Id<'ses'>;
  userId: Id<'usr'>;
  token: string;
  refreshToken: string;
}

/**
 * Log-ins and what follows from them. A refresh token is good once and for 30 days. One that comes a second time was
 * stolen, or its successor was: which of both holders is the thief cannot be known, so the session ends for both.
 * Source: RFC 9700 (OAuth 2.0 Security), 4.14.2.
 */
export interface Sessions {
  /** Throws UserError INVALID_CREDENTIALS where the password that was checked has been changed in the meantime. */
  open(holder: { userId: Id<'usr'>; passwordHash: string }): Promise<SessionTokens>;
  /** Throws UserError INVALID_CREDENTIALS for a token that is none, has expired, was used, or whose session has ended. */
  refresh(refreshToken: string): Promise<SessionTokens>;
  /** Goes on in another organisation; answers whether the session's user is a member of it, and does nothing where not. */
  move(to: { sessionId: Id<'ses'>; organizationId: Id<'org'> }): Promise<boolean>;
  /** Ends one session, or all of a user; answers how many ended. */
  end(which: { userId: Id<'usr'>; sessionId?: Id<'ses'> | undefined }): Promise<number>;
  /** Ends the session of a refresh token, whoever holds it. */
  endOfToken(refreshToken: string): Promise<number>;
}

const lifetimeMs = 30 * 86_400_000;

export interface SessionsDeps {
  pool: Pool;
  tokens: AccessTokens;
  standings: Standings;
  log: Log;
  now: () => Date;
}

export function createSessions(deps: SessionsDeps): Sessions {
  const { pool, tokens, standings, log, now } = deps;

  const withAccessToken = async (session: Omit<SessionTokens, 'token'>): Promise<SessionTokens> => {
    const { userId, sessionId } = session;
    return { ...session, token: await tokens.sign({ userId, sessionId }) };
  };

  return {
    async open({ userId, passwordHash }) {
      const [sessionId, refreshToken, at] = [newId('ses'), newSecretToken(), now()];
      const isOpen = await insertSession(pool, {
        id: sessionId,
        refreshTokenHash: hashOfSecret(refreshToken),
        userId, passwordHash,
        now: at,
        expiresAt: new Date(at.getTime() + lifetimeMs),
      });
      if (!isOpen) throw new UserError('INVALID_CREDENTIALS', 'The password was changed just now; log in again.', []);
      return withAccessToken({ userId, sessionId, refreshToken });
    },

    async refresh(refreshToken) {
      const [hash, next, at] = [hashOfSecret(refreshToken), newSecretToken(), now()];
      const session = await rotateRefreshToken(pool, {
        hash,
        nextHash: hashOfSecret(next),
        now: at,
        expiresAt: new Date(at.getTime() + lifetimeMs),
        forgetBefore: new Date(at.getTime() - lifetimeMs),
      });
      if (session) return withAccessToken({ userId: session.userId, sessionId: session.id, refreshToken: next });
      const ended = await endReused(pool, hash);
      if (ended) log.warn({ sessionId: ended }, 'session.reuse_detected');
      if (ended) standings.forget();
      throw new UserError('INVALID_CREDENTIALS', 'This refresh token is not valid any more; log in again.', ['refreshToken']);
    },

    async move(to) {
      const isMoved = await moveSession(pool, to);
      if (isMoved) standings.forget();
      return isMoved;
    },

    async end(which) {
      const ended = await endSessions(pool, which);
      standings.forget();
      return ended;
    },

    async endOfToken(refreshToken) {
      const ended = await endSessionOfToken(pool, hashOfSecret(refreshToken));
      standings.forget();
      return ended;
    },
  };
}
