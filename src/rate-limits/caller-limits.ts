import { isId } from '../events/id.ts';
import type { Viewer } from '../graphql/viewer.ts';
import { UnavailableError } from '../user-error.ts';
import { networkOf } from './network-of.ts';
import type { RateLimits } from './rate-limits.ts';

export interface LimitedCaller {
  readonly viewer: Viewer | undefined;
  readonly address: string;
}

/**
 * Whose bucket a call is taken from. API keys and members have one each; whoever is neither shares that of their
 * address, and that of the form they submit to. A request counts one, and each response in it one more.
 */
export interface CallerLimits {
  /** Counts a request: throws RATE_LIMITED where there have been too many. Answers nothing where it is known at once. */
  countRequest(caller: LimitedCaller): void | Promise<void>;
  /** Counts responses, by the forms they are for, before any of them is written; throws as above. */
  countResponses(caller: LimitedCaller, formIds: readonly string[]): void | Promise<void>;
}

export function createCallerLimits({ take }: RateLimits): CallerLimits {
  const ofCaller = ({ viewer, address }: LimitedCaller, count: number): number | Promise<number> => {
    if (!viewer) return take('address', networkOf(address), count);
    const { credential, userId } = viewer;
    return credential.kind === 'key' ? take('key', credential.id, count) : take('user', userId, count);
  };

  const ofForms = async (formIds: readonly string[]): Promise<number> => {
    for (const [formId, count] of counted(formIds)) {
      const waitMs = await take('form', formId, count);
      if (waitMs > 0) return waitMs;
    }
    return 0;
  };

  const countAll = async (caller: LimitedCaller, formIds: readonly string[]): Promise<void> => {
    requireTaken(await ofCaller(caller, formIds.length), whoseOf(caller));
    if (!caller.viewer) requireTaken(await ofForms(formIds), 'for this form');
  };

  return {
    countRequest: (caller) => {
      const taken = ofCaller(caller, 1);
      if (typeof taken === 'number') return requireTaken(taken, whoseOf(caller));
      return taken.then((waitMs) => requireTaken(waitMs, whoseOf(caller)));
    },
    countResponses: countAll,
  };
}

function requireTaken(waitMs: number, whose: string): void {
  if (waitMs <= 0) return;
  throw new UnavailableError('RATE_LIMITED', `Too many calls ${whose}; try again in ${Math.ceil(waitMs / 1_000)} seconds.`, Math.ceil(waitMs));
}

const whoseOf = ({ viewer }: LimitedCaller): string => {
  if (!viewer) return 'from this address';
  return viewer.credential.kind === 'key' ? 'with this API key' : 'of this user';
};

/** What cannot be a form has no bucket: it is refused without one. */
function counted(formIds: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const formId of formIds) if (isId('form', formId)) counts.set(formId, (counts.get(formId) ?? 0) + 1);
  return counts;
}
