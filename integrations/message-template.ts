import type { Template } from 'liquidjs';
import { createMessageEngine, type Allowance } from './message-engine.ts';

/** Why a text is no template that can be used: a sentence. */
export class TemplateFault extends Error {
  override name = 'TemplateFault';
}

/** A message with places for values. */
export interface MessageTemplate {
  /** The message; a value that is absent leaves its place empty. Throws TemplateFault where it takes too long, or more than is allowed. */
  render(values: Readonly<Record<string, unknown>>, allowance?: Allowance): string;
}

export const templateLimits = {
  /** Characters of the source. */
  length: 2_000,
  /**
   * Milliseconds that rendering may take, by the clock: what the machine spends on others counts too, and must not make a
   * message impossible. Rendering itself takes far less, since nothing repeats and `memory` is bounded.
   */
  renderMs: 1_000,
  /** Roughly characters that rendering may make, read and show on its way. */
  memory: 200_000,
  /** Characters of what is looked for in a text: longer ones can take the product of both lengths. */
  searched: 1_000,
} as const;

const engine = createMessageEngine(templateLimits);

/** What the messages of one response may take together, so that fifty of them block nothing for longer than one. */
export const openAllowance = (): Allowance => engine.openAllowance();

/**
 * Makes a message of Liquid ready; its times are in UTC, wherever this runs. `names`: all values it may use, those with members with a dot (`response.id`).
 * Throws TemplateFault for what is no template, too long, or names something else.
 * Source: shopify.github.io/liquid.
 */
export function compileMessage(source: string, names: ReadonlySet<string>): MessageTemplate {
  if (source.trim() === '') throw new TemplateFault('A message must not be blank.');
  if (source.length > templateLimits.length) throw new TemplateFault(`A message has at most ${templateLimits.length} characters; this has ${source.length}.`);
  const template: Template[] = orFault(() => engine.parse(source));
  for (const segments of orFault(() => engine.namesIn(template))) checkName(segments.map(String), names);
  return { render: (values, allowance = openAllowance()) => orFault(() => engine.render(template, values, allowance)) };
}

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
