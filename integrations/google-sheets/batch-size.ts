/** What one request may hold. Google advises 2 MB at most. Source: Sheets API "Usage limits". */
export interface BatchLimits {
  rows: number;
  bytes: number;
}

/** Leaves room for what is around the rows in the request. */
export const batchLimits: BatchLimits = { rows: 1_000, bytes: 1_900_000 };

/** How many of the rows, from the first on, go into the next request; at least one where there is one. `sizes` in bytes. */
export function batchLength(sizes: readonly number[], { rows, bytes }: BatchLimits = batchLimits): number {
  let sum = 0;
  for (const [count, size] of sizes.entries()) {
    sum += size;
    if (count === rows || (sum > bytes && count > 0)) return count;
  }
  return sizes.length;
}
