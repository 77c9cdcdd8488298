import { millisecondsOf } from '../config.ts';
import { UserError } from '../user-error.ts';
import type { DeadRedrive } from './integration.entity.ts';

/** `every`: a duration such as `24h`. `times`: 0 switches it off. */
export interface DeadRedriveInput {
  every: string;
  times: number;
}

const hourMs = 3_600_000;
const most = { everyHours: 720, times: 100 };

/** What a client says of trying dead deliveries again; null: never. Throws UserError. */
export function readDeadRedrive({ every, times }: DeadRedriveInput): DeadRedrive | null {
  const everyMs = millisecondsOf(every);
  if (everyMs === undefined || everyMs < hourMs || everyMs > most.everyHours * hourMs) {
    throw new UserError('INVALID_INPUT', `Write how long after its death a delivery is tried again, from 1h to ${most.everyHours}h, such as 24h.`, ['deadRedrive', 'every']);
  }
  if (times < 0 || times > most.times) {
    throw new UserError('INVALID_INPUT', `A dead delivery is tried again at most ${most.times} times; 0 switches it off.`, ['deadRedrive', 'times']);
  }
  return times === 0 ? null : { everyMs, times };
}

/** The way back: in hours where they are whole, as people write it. */
export function shownDeadRedrive({ everyMs, times }: DeadRedrive): DeadRedriveInput {
  return { every: everyMs % hourMs === 0 ? `${everyMs / hourMs}h` : `${everyMs / 60_000}m`, times };
}
