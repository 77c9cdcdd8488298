import type { Json } from '../events/canonical-json.ts';

const maxKeys = 1_000;
const maxKeyLength = 200;
const maxStateBytes = 4 * 1024;

/** Each key once. Throws RangeError past the bounds that the contract names: that is the provider's fault. */
export function checkedKeys(keys: readonly string[]): string[] {
  const distinct = [...new Set(keys)];
  if (distinct.length > maxKeys) throw new RangeError(`at most ${maxKeys} keys at a time; these are ${distinct.length}`);
  if (distinct.some((key) => key.length === 0 || key.length > maxKeyLength)) throw new RangeError(`a key has 1 to ${maxKeyLength} characters`);
  return distinct;
}

/** A state as it is stored. Throws RangeError where it is too long. */
export function stateText(state: Json): string {
  const text = JSON.stringify(state);
  if (Buffer.byteLength(text) > maxStateBytes) throw new RangeError(`a state takes at most ${maxStateBytes} bytes as JSON`);
  return text;
}
