import type { Id } from '../events/id.ts';
import { UnavailableError } from '../user-error.ts';

/** Runs a long look at what an organisation has taken: a comparison, or the preview of a replay. */
export type Looks = <T>(organizationId: Id<'org'>, look: () => Promise<T>) => Promise<T>;

/** Of one organisation in one process: those that run, and those that wait for their turn. */
export const lookLimits = { atOnce: 2, waiting: 20 };

const retryAfterMs = 2_000;

/**
 * Lets an organisation have a few of them at a time. Each takes a second of this process's time, and of PostgreSQL's: as
 * many as somebody asks for would slow down what others submit meanwhile. Throws UnavailableError where too many wait.
 */
export function createLooks({ atOnce, waiting } = lookLimits): Looks {
  const lines = new Map<Id<'org'>, { running: number; next: (() => void)[] }>();

  const take = async (organizationId: Id<'org'>): Promise<void> => {
    const line = lines.get(organizationId) ?? { running: 0, next: [] };
    lines.set(organizationId, line);
    if (line.running < atOnce) return void (line.running += 1);
    if (line.next.length >= waiting) throw new UnavailableError('OVERLOADED', `${atOnce} comparisons and previews of your organisation are under way, and ${waiting} wait; try again when some have ended.`, retryAfterMs);
    await new Promise<void>((resolve) => line.next.push(resolve)); // who ends hands its place on
  };

  const give = (organizationId: Id<'org'>): void => {
    const line = lines.get(organizationId);
    if (!line) return;
    const next = line.next.shift();
    if (next) return next();
    line.running -= 1;
    if (line.running === 0) lines.delete(organizationId);
  };

  return async (organizationId, look) => {
    await take(organizationId);
    try {
      return await look();
    } finally {
      give(organizationId);
    }
  };
}
