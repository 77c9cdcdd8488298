/**
 * What stays in its place when one list becomes the other: of the items that both have, as many as can be left alone
 * while all others are moved, so that one item carried across the list is one move. The same set for both directions.
 * Each list has an item at most once.
 */
export function keptOrder(one: readonly string[], other: readonly string[]): Set<string> {
  const [first, second] = one.join() < other.join() ? [one, other] : [other, one];
  const places = new Map(second.map((item, index) => [item, index]));
  const common = first.flatMap((item) => {
    const place = places.get(item);
    return place === undefined ? [] : [{ item, place }];
  });
  return new Set(longestRise(common));
}

interface Placed {
  item: string;
  place: number;
}

interface Link extends Placed {
  before: Link | undefined;
}

/** The items of a longest run of rising places. Source: patience sorting; n log n. */
function longestRise(placed: readonly Placed[]): string[] {
  /** For each length, the rise of that length which ends lowest. */
  const lowest: Link[] = [];
  for (const { item, place } of placed) {
    const at = firstNotBelow(lowest, place);
    lowest[at] = { item, place, before: lowest[at - 1] };
  }
  const items: string[] = [];
  for (let link = lowest.at(-1); link; link = link.before) items.push(link.item);
  return items;
}

function firstNotBelow(links: readonly Link[], place: number): number {
  let low = 0;
  let high = links.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const link = links[middle];
    if (link && link.place < place) low = middle + 1;
    else high = middle;
  }
  return low;
}
