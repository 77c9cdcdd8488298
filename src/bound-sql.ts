/** A piece of a statement whose values are bound, never written into its text. */
export class Sql {
  readonly strings: readonly string[];
  readonly parts: readonly unknown[];

  constructor(strings: readonly string[], parts: readonly unknown[]) {
    this.strings = strings;
    this.parts = parts;
  }

  /** The statement as pg takes it: `$1`, `$2` … for the values, in their order. */
  toQuery(): { text: string; values: unknown[] } {
    const values: unknown[] = [];
    return { text: this.#render(values), values };
  }

  #render(values: unknown[]): string {
    let text = this.strings[0] ?? '';
    for (const [index, part] of this.parts.entries()) {
      text += part instanceof Sql ? part.#render(values) : `$${values.push(part)}`;
      text += this.strings[index + 1] ?? '';
    }
    return text;
  }
}

/**
 * Writes a statement whose conditions depend on what was asked: only those that apply are in it, so that the database
 * plans for them. A value becomes a parameter, another piece of SQL becomes part of the text.
 *
 * @example sql`select * from forms where id = ${id} and ${allOf(conditions)}`
 */
export const sql = (strings: TemplateStringsArray, ...parts: unknown[]): Sql => new Sql(strings, parts);

/** Text of our own that goes into a statement as it stands: a list of columns, a direction. Never a client's. */
export const trusted = (text: string): Sql => new Sql([text], []);

/** Conditions joined by `and`; the absent ones do not count. */
export function allOf(conditions: readonly (Sql | undefined)[]): Sql {
  const present = conditions.filter((condition) => condition !== undefined);
  if (present.length === 0) return trusted('true');
  return new Sql(['', ...present.slice(1).map(() => ' and '), ''], present);
}
