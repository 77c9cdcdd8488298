/** What was measured in turns: each number the median of its rounds. */
export interface Interleaved {
  value: number;
  baseline: number;
  /** Of each round, for the note: how far they lie apart says what the medians are worth. */
  ratios: number[];
}

/** Measures both in turns, A B A B …, so that whatever else the machine does hits both. */
export async function interleave(options: { rounds: number; measure: () => Promise<number>; measureBaseline: () => Promise<number> }): Promise<Interleaved> {
  const values: number[] = [];
  const baselines: number[] = [];
  for (let round = 0; round < options.rounds; round += 1) {
    values.push(await options.measure());
    baselines.push(await options.measureBaseline());
  }
  return { value: median(values), baseline: median(baselines), ratios: values.map((value, round) => value / (baselines[round] ?? value)) };
}

export const median = (values: readonly number[]): number => quantile(values, 0.5);

/** The value below which this share of all lies; between two it is interpolated. NaN where there are none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((one, other) => one - other);
  const place = share * (sorted.length - 1);
  const [below = Number.NaN, above = below] = [sorted[Math.floor(place)], sorted[Math.ceil(place)]];
  return below + (above - below) * (place - Math.floor(place));
}

/** For example `0.48–0.53`. */
export const range = (values: readonly number[]): string => `${Math.min(...values).toFixed(2)}–${Math.max(...values).toFixed(2)}`;
