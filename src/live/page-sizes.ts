/** How many events to take at a time: few where each is large as a result, so that a stretch of them fits in memory. */
export interface PageSizes {
  next(): number;
  /** So many bytes came of the last ones. */
  note(bytes: number): void;
}

const least = 4;
const most = 100;
const begin = 16;
const fewBytes = 128 * 1024;
const manyBytes = 512 * 1024;

export function pageSizes(): PageSizes {
  let size = begin;
  return {
    next: () => size,
    note: (bytes) => {
      if (bytes > manyBytes) size = Math.max(least, Math.floor(size / 2));
      else if (bytes < fewBytes) size = Math.min(most, size * 2);
    },
  };
}
