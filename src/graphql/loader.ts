import DataLoader from 'dataloader';
import type { Context } from './context.ts';

export type Loader<Key, Value> = (context: Context) => DataLoader<Key, Value | undefined>;

/**
 * A loader that collects the keys asked for in one operation and reads them together. `read` returns what it found by
 * key; what is missing is undefined. Permission belongs into `read`: what the viewer may not see is simply not found.
 */
export function createLoader<Key, Value>(
  read: (keys: readonly Key[], context: Context) => Promise<ReadonlyMap<Key, Value>>,
): Loader<Key, Value> {
  const name = {};
  return (context) => {
    const known = context.loaders.get(name);
    if (known) return known as DataLoader<Key, Value | undefined>;
    const loader = new DataLoader<Key, Value | undefined>(
      async (keys) => {
        const found = await read(keys, context);
        return keys.map((key) => found.get(key));
      },
      { maxBatchSize: 1_000 },
    );
    context.loaders.set(name, loader);
    return loader;
  };
}
