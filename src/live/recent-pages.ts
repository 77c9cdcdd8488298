import { createBoundedCache } from '../bounded-cache.ts';
import type { Page } from './group.ts';

/** Stretches that were just told, for those who come to the same place a moment later. */
export interface RecentPages {
  get(key: string): Page | undefined;
  set(key: string, page: Page, chars: number): void;
}

/** After an outage all come back within seconds. What was told longer ago may have been erased since: it is read again. */
const keepMs = 5_000;

export function createRecentPages({ maxChars, now }: { maxChars: number; now: () => Date }): RecentPages {
  const pages = createBoundedCache<string, { page: Page; until: number }>({ maxWeight: maxChars });
  return {
    get: (key) => {
      const kept = pages.get(key);
      if (kept && kept.until > now().getTime()) return kept.page;
      pages.delete(key);
      return undefined;
    },
    set: (key, page, chars) => pages.set(key, { page, until: now().getTime() + keepMs }, chars),
  };
}
