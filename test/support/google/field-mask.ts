/** What a partial response is to hold: `true` is all of it. */
export type FieldMask = true | Map<string, FieldMask>;

/**
 * Reads `fields`: `id,files(id,name)`, `sheets.properties/title`, `*`. No text is all of it; undefined where it cannot
 * be read. Source: Google's "Field masks" and "Partial responses".
 */
export function parseFieldMask(text: string | null): FieldMask | undefined {
  if (text === null || text === '') return true;
  const tokens = text.match(/[A-Za-z0-9_*]+|[(),./]/g) ?? [];
  if (tokens.join('') !== text.replaceAll(/\s/g, '')) return undefined;
  let place = 0;
  const list = (): FieldMask | undefined => {
    let mask: FieldMask = new Map();
    for (;;) {
      const path = field();
      if (path === undefined) return undefined;
      mask = merge(mask, path);
      if (tokens[place] !== ',') return mask;
      place += 1;
    }
  };
  const field = (): FieldMask | undefined => {
    const name = tokens[place];
    if (name === undefined || !/^[A-Za-z0-9_*]+$/.test(name)) return undefined;
    place += 1;
    const below = after();
    if (below === undefined) return undefined;
    return name === '*' ? below : new Map([[name, below]]);
  };
  const after = (): FieldMask | undefined => {
    const sign = tokens[place];
    if (sign === '.' || sign === '/') {
      place += 1;
      return field();
    }
    if (sign !== '(') return true;
    place += 1;
    const inner = list();
    if (tokens[place] !== ')') return undefined;
    place += 1;
    return inner;
  };
  const mask = list();
  return place === tokens.length ? mask : undefined;
}

/** Whether the mask asks for something at or below the path, or for all that is above it. */
export function isAskedFor(mask: FieldMask, ...path: string[]): boolean {
  let at: FieldMask | undefined = mask;
  for (const name of path) {
    if (at === true || at === undefined) break;
    at = at.get(name);
  }
  return at !== undefined;
}

/** What of a value the mask asks for. Lists are taken item by item. */
export function select(value: unknown, mask: FieldMask): unknown {
  if (mask === true || value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.map((item) => select(item, mask));
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, inner]) => {
      const below = mask.get(name);
      return below === undefined ? [] : [[name, select(inner, below)]];
    }),
  );
}

function merge(left: FieldMask, right: FieldMask): FieldMask {
  if (left === true || right === true) return true;
  const both = new Map(left);
  for (const [name, below] of right) {
    const already = both.get(name);
    both.set(name, already === undefined ? below : merge(already, below));
  }
  return both;
}
