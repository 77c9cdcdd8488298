import type { Json } from '../events/canonical-json.ts';
import { whyJsonUnstorable, whyTextUnstorable } from '../storable.ts';
import { UserError, type Fault, type UserErrorCode } from '../user-error.ts';

export type Path = readonly (string | number)[];

/** Collects the faults of one input, so that the caller learns of all at once. */
export interface InputFaults {
  add(path: Path, message: string, code?: UserErrorCode): void;
  /** A text of 1 to `max` characters that is not blank. */
  text(path: Path, value: string, max: number): string;
  /** A text of up to `max` characters; null where it is absent. */
  optionalText(path: Path, value: string | null | undefined, max: number): string | null;
  /** Free JSON; `{}` where it is absent. */
  json(path: Path, value: Json | undefined): Json;
  /** Throws UserError with all faults, if there are any. */
  throwIfAny(): void;
}

/** Whoever has more than these mends them first. */
const maxFaults = 500;

/** `prefix`: where in the input it all stands. Of very many faults, the first 500 are kept. */
export function createInputFaults(prefix: Path = []): InputFaults {
  const list: Fault[] = [];
  const add: InputFaults['add'] = (path, message, code = 'INVALID_INPUT') => {
    if (list.length < maxFaults) list.push({ code, message, path: [...prefix, ...path] });
  };

  const checkText = (path: Path, value: string, max: number): void => {
    if (value.length > max) add(path, `At most ${max} characters; this has ${value.length}.`);
    const reason = whyTextUnstorable(value);
    if (reason !== undefined) add(path, `This ${reason}.`);
  };

  return {
    add,
    text(path, value, max) {
      if (value.trim() === '') add(path, 'This must not be blank.');
      else checkText(path, value, max);
      return value;
    },
    optionalText(path, value, max) {
      if (value === null || value === undefined) return null;
      checkText(path, value, max);
      return value;
    },
    json(path, value) {
      if (value === null || value === undefined) return {};
      const refusal = whyJsonUnstorable(value);
      if (refusal) add([...path, ...refusal.path], `This ${refusal.reason}.`);
      return value;
    },
    throwIfAny() {
      if (list.length > 0) throw new UserError(list);
    },
  };
}
