import { Context, defaultOperators, Liquid, type Template } from 'liquidjs';

/** What rendering may still take, in characters and until when. */
export type Allowance = Pick<Context, 'memoryLimit' | 'renderLimit'>;

export interface MessageEngine {
  parse(source: string): Template[];
  /** The names that a template reads, each in its parts. */
  namesIn(template: Template[]): unknown[][];
  render(template: Template[], values: object, allowance: Allowance): string;
  openAllowance(): Allowance;
}

/** What has no place in a message: files, other templates, and whatever repeats. */
const unusedTags = ['include', 'render', 'layout', 'block', 'for', 'tablerow', 'cycle', 'increment', 'decrement', 'break', 'continue'];
/** These work out an expression for each part of a value; `raw` would keep what is shown from being charged. */
const unusedFilters = ['where_exp', 'reject_exp', 'group_by_exp', 'has_exp', 'find_exp', 'find_index_exp', 'raw'];
/** Filters whose first argument is looked for in a text. */
const searchingFilters = ['split', 'remove', 'remove_first', 'remove_last', 'replace', 'replace_first', 'replace_last'];

/**
 * Liquid for short messages: each step takes time in proportion to what it is charged, and what is charged is bounded. The
 * library alone charges neither what is shown nor what is looked through. `searched`: the longest text that may be looked for.
 */
export function createMessageEngine(limits: { length: number; renderMs: number; memory: number; searched: number }): MessageEngine {
  const { length, renderMs, memory, searched } = limits;
  const liquid = new Liquid({
    parseLimit: length, renderLimit: renderMs, memoryLimit: memory,
    strictFilters: true, ownPropertyOnly: true, timezoneOffset: 0,
    operators: { ...defaultOperators, contains: (whole, part, context) => contains(whole, part, { context, searched }) },
    outputEscape: chargeShown as (value: unknown) => string,
  });
  for (const tag of unusedTags) delete liquid.tags[tag];
  for (const filter of unusedFilters) liquid.unregisterFilter(filter);
  for (const filter of searchingFilters) chargeSearch(liquid, filter, searched);
  return {
    parse: (source) => liquid.parse(source),
    namesIn: (template) => liquid.globalVariableSegmentsSync(template),
    render: (template, values, allowance) => String(liquid.renderSync(template, new Context(values, liquid.options, { sync: true }, { ...allowance, liquid }))),
    openAllowance: () => {
      const { memoryLimit, renderLimit } = new Context({}, liquid.options);
      return { memoryLimit, renderLimit };
    },
  };
}

/** The library puts this, meant to escape, behind the last filter of all that is shown, and makes a text of what it answers. */
function chargeShown(this: { context: Context }, value: unknown): unknown {
  this.context.memoryLimit.use(sizeOf(value));
  return value;
}

function chargeSearch(liquid: Liquid, name: string, searched: number): void {
  const search = liquid.filters[name];
  if (typeof search !== 'function') throw new Error(`the library has no filter ${name}`);
  liquid.registerFilter(name, function (text: unknown, part: unknown, ...others: unknown[]): unknown {
    refuseLong(part, searched);
    this.context.memoryLimit.use(sizeOf(text));
    return search.call(this, text, part, ...others) as unknown;
  });
}

/** Whether a list has a member, or a text a part; nothing else has any. */
function contains(whole: unknown, part: unknown, { context, searched }: { context: Context; searched: number }): boolean {
  context.memoryLimit.use(sizeOf(whole));
  if (Array.isArray(whole)) return whole.includes(part);
  if (typeof whole !== 'string') return false;
  refuseLong(part, searched);
  return whole.includes(String(part));
}

function refuseLong(part: unknown, searched: number): void {
  if (sizeOf(part) > searched) throw new Error(`what is looked for has at most ${searched} characters`);
}

const sizeOf = (value: unknown): number => (typeof value === 'string' || Array.isArray(value) ? value.length : 1);
