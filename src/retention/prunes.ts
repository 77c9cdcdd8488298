import { endedSecrets } from './ended-secrets.ts';
import { oldAttempts } from './old-attempts.ts';
import { oldRows, past, type Prune } from './prune.ts';

export interface Retention {
  /** How long the attempts of a finished delivery are kept, and what a service said after it took one. */
  attemptMs: number;
  /** How long what has ended is kept, for whoever asks what became of it. */
  endedMs: number;
}

const minute = 60_000;
const hour = 60 * minute;
/** How far the clocks of two processes may be apart. */
const clocksApart = 10 * minute;
/** As long as a dispatcher may have a claimed delivery in its hands, and then some. */
const inHand = 5 * minute;

/** Integrations that are deleted for good, of which nothing is to be taken away outside any more. */
const deletedWithLedger = (keptMs: number): string => `
  select i.id from integrations i
  where ${past('i.deleted_at', keptMs)} and exists (select 1 from ledger l where l.integration_id = i.id)
    and not exists (select 1 from jobs j where j.integration_id = i.id and j.status in ('waiting', 'running'))
  limit 100`;

/**
 * All that is forgotten in the background. ops/upkeep.md says of every table why it is among these or not. Where no index
 * leads to what is old, a table has some thousands of rows, or an index would cost every call something.
 */
export function prunesOf({ attemptMs, endedMs }: Retention): Prune[] {
  return [
    // as good as none: from then on counting begins anew
    oldRows({ table: 'rate_buckets', everyMs: minute, limit: 1_000, old: past('full_at', 0) }),
    oldRows({ table: 'quotas', everyMs: minute, limit: 1_000, old: past('next_at', 0) }),
    oldRows({ table: 'login_attempts', everyMs: minute, limit: 1_000, old: `${past('resets_at', clocksApart)} order by resets_at` }),
    // its dispatch is recorded, and no claim is as old: it cannot come up any more
    oldRows({ table: 'erased_events', everyMs: minute, limit: 1_000, old: `${past('erased_at', inHand)} and not exists (select 1 from outbox o where o.position = erased_events.position)` }),
    // with their refresh tokens, up to some hundreds of each
    oldRows({ table: 'sessions', everyMs: hour, limit: 20, old: `${past('expires_at', clocksApart)} order by expires_at` }),
    oldRows({ table: 'invitations', everyMs: hour, limit: 1_000, old: past('least(accepted_at, revoked_at, expires_at)', endedMs) }),
    oldRows({ table: 'api_keys', everyMs: hour, limit: 1_000, old: past('least(revoked_at, expires_at)', endedMs) }),
    // parts of a replay tell what was sent again, and stay with it
    oldRows({ table: 'jobs', everyMs: hour, limit: 1_000, old: `${past('finished_at', endedMs)} and replay_id is null order by finished_at` }),
    // a place is given once and for ever
    oldRows({ table: 'ledger', everyMs: hour, limit: 1_000, old: `${past('forget_at', 0)} and place is null order by forget_at` }),
    oldRows({ table: 'ledger', everyMs: hour, limit: 1_000, old: `integration_id = any(array(${deletedWithLedger(endedMs)}))` }),
    oldRows({ table: 'trackings', everyMs: hour, limit: 1_000, old: `${past('noted_at', attemptMs)} and follow_at is null order by noted_at` }),
    endedSecrets({ endedMs: clocksApart, everyMs: hour, limit: 100 }),
    oldAttempts({ keptMs: attemptMs, everyMs: hour, limit: 1_000 }),
  ];
}
