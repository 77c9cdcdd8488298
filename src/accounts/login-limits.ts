import { createHash } from 'node:crypto';
import type { Pool } from 'pg';
import { networkOf } from '../rate-limits/network-of.ts';
import { UserError } from '../user-error.ts';

/**
 * How often a password may be tried in a quarter of an hour: ten times for one name, a hundred times from one address,
 * behind which many people may sit. A name is counted whether or not there is such an account, and before anything is
 * looked up, so that a refusal tells nothing.
 */
export const loginLimits = { windowMs: 15 * 60_000, ofName: 10, ofAddress: 100 } as const;

/** Whose password is tried, and from where. */
export interface LoginAttempt {
  /** The name as it was given, in lower case. */
  name: string;
  address: string;
}

/** Bounds the guessing of passwords, over all processes of an installation. */
export interface LoginLimits {
  /** Counts an attempt before it is made. Throws UserError TOO_MANY, which says when to try again. */
  count(attempt: LoginAttempt): Promise<void>;
  /** The attempt was the right one: the name is counted from nothing again, and the address not for this one. */
  forgive(attempt: LoginAttempt): Promise<void>;
}

const countAttempt = `
  insert into login_attempts as known (key, count, resets_at)
  select key, 1, $3 from unnest($1::text[]) as key order by key
  on conflict (key) do update set
    count = case when known.resets_at <= $2 then 1 else known.count + 1 end,
    resets_at = case when known.resets_at <= $2 then excluded.resets_at else known.resets_at end
  returning key, count, resets_at as "resetsAt"`;

const forgiveAttempt = `
  with known as (select key from login_attempts where key = any($1) order by key for update)
  update login_attempts a set count = case when a.key = $2 then 0 else greatest(a.count - 1, 0) end
  from known where a.key = known.key`;

export function createLoginLimits({ pool, now }: { pool: Pool; now: () => Date }): LoginLimits {
  return {
    async count(attempt) {
      const at = now();
      const { nameKey, addressKey } = keysOf(attempt);
      const { rows } = await pool.query<{ key: string; count: number; resetsAt: Date }>({
        name: 'count-login-attempt',
        text: countAttempt,
        values: [[nameKey, addressKey], at, new Date(at.getTime() + loginLimits.windowMs)],
      });
      const full = rows.filter(({ key, count }) => count > (key === nameKey ? loginLimits.ofName : loginLimits.ofAddress));
      if (full.length === 0) return;
      const waitMs = Math.max(...full.map(({ resetsAt }) => resetsAt.getTime() - at.getTime()));
      throw new UserError('TOO_MANY', `Too many attempts; try again in ${Math.ceil(waitMs / 1_000)} s.`, []);
    },
    async forgive(attempt) {
      const { nameKey, addressKey } = keysOf(attempt);
      await pool.query({ name: 'forgive-login-attempt', text: forgiveAttempt, values: [[nameKey, addressKey], nameKey] });
    },
  };
}

function keysOf({ name, address }: LoginAttempt): { nameKey: string; addressKey: string } {
  return { nameKey: hashOf(`name ${name}`), addressKey: hashOf(`address ${networkOf(address)}`) };
}

const hashOf = (text: string): string => createHash('sha256').update(text).digest('base64url');
