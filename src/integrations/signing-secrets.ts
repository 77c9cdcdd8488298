/** Signing keys of an integration, opened or sealed alike. */
export interface SigningSecrets {
  /** Newest first. */
  secrets: string[];
  /** When those after the newest end, in their order, in ISO 8601. */
  secretEnds: string[];
}

/** How many sign at a time, at most: each makes every request longer by 48 bytes, and a receiver tries them all. */
export const maxSecrets = 3;

/** Those that sign at this time, newest first: to the millisecond of its end an old one does, then no more. */
export const secretsAt = ({ secrets, secretEnds }: SigningSecrets, at: Date): string[] =>
  secrets.filter((_, index) => endOf(secretEnds, index) > at.getTime());

/** When the newest will sign alone; null: it does. An old one from before ends were kept has none, and holds nothing up. */
export function oldSecretsEndAt({ secretEnds }: Pick<SigningSecrets, 'secretEnds'>, at: Date): Date | null {
  const last = Math.max(...secretEnds.map((end) => Date.parse(end)));
  return last > at.getTime() ? new Date(last) : null;
}

/**
 * With a new key that signs from now on, and the ones so far until `keepOldForMs` have passed: those that would have
 * ended sooner still do, and none gets longer than it was promised. What has ended is left out.
 */
export function rotated({ secrets, secretEnds }: SigningSecrets, by: { secret: string; keepOldForMs: number; at: Date }): SigningSecrets {
  const latest = by.at.getTime() + by.keepOldForMs;
  const old = secrets
    .map((secret, index) => ({ secret, end: Math.min(endOf(secretEnds, index), latest) }))
    .filter(({ end }) => end > by.at.getTime());
  return { secrets: [by.secret, ...old.map(({ secret }) => secret)], secretEnds: old.map(({ end }) => new Date(end).toISOString()) };
}

/** The newest has none, and neither has what was old before ends were kept. */
function endOf(secretEnds: readonly string[], index: number): number {
  const end = secretEnds[index - 1];
  return end === undefined ? Infinity : Date.parse(end);
}
