const units = [
  { name: 'd', ms: 86_400_000 },
  { name: 'h', ms: 3_600_000 },
  { name: 'm', ms: 60_000 },
  { name: 's', ms: 1_000 },
] as const;

/** How long, in the largest unit that it has one of: `3 d`, `45 m`, `0.4 s`. */
export function spanText(ms: number): string {
  const unit = units.find((one) => ms >= one.ms);
  if (unit) return `${Math.floor(ms / unit.ms)} ${unit.name}`;
  return `${(Math.max(0, ms) / 1_000).toFixed(1)} s`;
}

/** How long ago; a dash for never. */
export const agoText = (at: Date | null | undefined, now: Date): string => (at ? spanText(now.getTime() - at.getTime()) : '–');

/** `12,345` */
export const countText = (count: number): string => count.toLocaleString('en-US');

/** `1 event`, `2 events` */
export const countOf = (count: number, noun: string): string => `${countText(count)} ${noun}${count === 1 ? '' : 's'}`;

/** At most so many characters, the last of them an ellipsis where some are missing. */
export const shortened = (text: string, most: number): string => (text.length <= most ? text : `${text.slice(0, most - 1)}…`);

/** `0-7, 9` for 0 to 7 and 9. */
export function rangesText(numbers: readonly number[]): string {
  const runs: [number, number][] = [];
  for (const number of numbers.toSorted((one, other) => one - other)) {
    const run = runs.at(-1);
    if (run?.[1] === number - 1) run[1] = number;
    else runs.push([number, number]);
  }
  return runs.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`)).join(', ');
}
