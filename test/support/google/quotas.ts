import type { Clock } from '../simulators/clock.ts';
import { googleErrors } from './errors.ts';

/** Requests a minute. Source: "Usage limits" of the Sheets and of the Drive API. */
export interface QuotaLimits {
  readsPerUser: number;
  readsPerProject: number;
  writesPerUser: number;
  writesPerProject: number;
  drivePerUser: number;
}

export const defaultLimits: QuotaLimits = { readsPerUser: 60, readsPerProject: 300, writesPerUser: 60, writesPerProject: 300, drivePerUser: 12_000 };

export interface Quotas {
  /** Counts a request, or throws Google's error where it is one too many; what is refused is not counted. */
  spend(kind: 'Read' | 'Write' | 'Drive', by: { email: string; project: string }): void;
}

const windowMs = 60_000;

/** Counts over the last sixty seconds, whenever they began: never kinder than counting by the minute of the clock. */
export function createQuotas(limits: QuotaLimits, clock: Clock): Quotas {
  const spent = new Map<string, number[]>();
  const recent = (key: string): number[] => {
    const since = clock.now().getTime() - windowMs;
    const times = (spent.get(key) ?? []).filter((time) => time > since);
    spent.set(key, times);
    return times;
  };
  return {
    spend(kind, { email, project }) {
      const user = recent(`${kind} user ${email}`);
      const whole = recent(`${kind} project ${project}`);
      if (kind === 'Drive') {
        if (user.length >= limits.drivePerUser) throw googleErrors.userRateLimitExceeded();
      } else {
        const [perUser, perProject] = kind === 'Read' ? [limits.readsPerUser, limits.readsPerProject] : [limits.writesPerUser, limits.writesPerProject];
        if (user.length >= perUser) throw googleErrors.rateLimitExceeded({ kind, per: 'user', project });
        if (whole.length >= perProject) throw googleErrors.rateLimitExceeded({ kind, per: 'project', project });
      }
      const now = clock.now().getTime();
      user.push(now);
      whole.push(now);
    },
  };
}
