import { Liquid, type Template } from 'liquidjs';

/** Why a text is no template that can be used: a sentence. */
export class TemplateFault extends Error {
  override name = 'TemplateFault';
}

/** A message with places for values. */
export interface MessageTemplate {
  /** The message; a value that is absent leaves its place empty. Throws TemplateFault where it takes too long or too much. */
  render(values: Readonly<Record<string, unknown>>): string;
}

export const templateLimits = {
  /** Characters of the source. */
  length: 2_000,
  /**
   * Milliseconds that rendering may take, by the clock: what the machine spends on others counts too, and must not make a
   * message impossible. Rendering itself takes far less than one, since nothing repeats and `memory` is bounded.
   */
  renderMs: 1_000,
  /** Roughly characters that rendering may make on its way. */
  memory: 200_000,
} as const;

/** What has no place in a message: files, other templates, and whatever repeats. */
const unusedTags = ['include', 'render', 'layout', 'block', 'for', 'tablerow', 'cycle', 'increment', 'decrement', 'break', 'continue'];

const engine = createEngine();

function createEngine(): Liquid {
  const { length, renderMs, memory } = templateLimits;
  const liquid = new Liquid({ parseLimit: length, renderLimit: renderMs, memoryLimit: memory, strictFilters: true, ownPropertyOnly: true, timezoneOffset: 0 });
  for (const tag of unusedTags) delete liquid.tags[tag];
  return liquid;
}

/**
 * Makes a message of Liquid ready; its times are in UTC, wherever this runs. `names`: all values it may use, those with members with a dot (`response.id`).
 * Throws TemplateFault for what is no template, too long, or names something else.
 * Source: shopify.github.io/liquid.
 */
export function compileMessage(source: string, names: ReadonlySet<string>): MessageTemplate {
  if (source.trim() === '') throw new TemplateFault('A message must not be blank.');
  if (source.length > templateLimits.length) throw new TemplateFault(`A message has at most ${templateLimits.length} characters; this has ${source.length}.`);
  const template = orFault(() => engine.parse(source));
  for (const segments of orFault(() => engine.globalVariableSegmentsSync(template))) checkName(segments.map(String), names);
  return { render: (values) => orFault(() => rendered(template, values)) };
}

const rendered = (template: Template[], values: object): string => String(engine.renderSync(template, values));

function checkName(segments: readonly string[], names: ReadonlySet<string>): void {
  const name = segments.join('.');
  if (names.has(name)) return;
  throw new TemplateFault(`There is no "${name}" to put into the message; there are ${listed([...names])}.`);
}

const mostListed = 20;
const listed = (names: readonly string[]): string =>
  names.length > mostListed ? `${names.slice(0, mostListed).join(', ')} and ${names.length - mostListed} more` : names.join(', ');

/** What the library throws names the place in its first line, and the source after it. */
function orFault<T>(use: () => T): T {
  try {
    return use();
  } catch (error) {
    if (error instanceof TemplateFault || !(error instanceof Error)) throw error;
    const [first = ''] = error.message.split('\n');
    throw new TemplateFault(`This message cannot be used: ${first}.`);
  }
}
