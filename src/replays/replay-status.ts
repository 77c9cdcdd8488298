import type { JobStatus } from '../jobs/job.entity.ts';

export const replayStatuses = ['running', 'paused', 'done', 'failed', 'canceled'] as const;
/** failed: everything has ended, and of an integration not everything was sent: it was deleted, or is broken */
export type ReplayStatus = (typeof replayStatuses)[number];

/** The first that applies. A replay that ended while it was paused has ended. */
export function replayStatus({ isPaused, isCanceled, parts }: { isPaused: boolean; isCanceled: boolean; parts: readonly JobStatus[] }): ReplayStatus {
  if (isCanceled) return 'canceled';
  if (parts.some((status) => status === 'waiting' || status === 'running')) return isPaused ? 'paused' : 'running';
  return parts.every((status) => status === 'done') ? 'done' : 'failed';
}
