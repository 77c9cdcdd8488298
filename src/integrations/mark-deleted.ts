import type { Integration } from './integration.entity.ts';

/** Its row stays, for the log of its deliveries. */
export function markDeleted(integration: Integration, now: Date): void {
  integration.deletedAt = now;
  integration.updatedAt = laterThan(integration.updatedAt, now);
}

/** Dispatchers tell one state of an integration from the next by this time: it must differ, however fast they follow. */
export const laterThan = (before: Date, at: Date): Date => new Date(Math.max(at.getTime(), before.getTime() + 1));
