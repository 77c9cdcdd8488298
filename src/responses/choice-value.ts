import type { Json } from '../events/canonical-json.ts';
import type { Id } from '../events/id.ts';
import type { ChoiceDefinition, QuestionDefinition } from '../forms/form-definition.ts';
import { quoted, Refusal, type ReadValue } from './read-value.ts';

/**
 * A choice's place in the form's order, by its id, its exact text, or a translation that no other choice has; -1 for a
 * text that several choices have.
 */
type Places = ReadonlyMap<string, number>;

/** Reads one choice, by its id or exact text, into its id. */
export function compileChoice(question: QuestionDefinition): ReadValue {
  const { choices } = question;
  const places = placesOf(choices);
  return (value) => {
    const place = placeOf(value, { choices, places });
    return place instanceof Refusal ? place : idAt(choices, place);
  };
}

/** Reads a list of choices, without repeats, into their ids in the form's order. */
export function compileChoices(question: QuestionDefinition): ReadValue {
  const { choices } = question;
  const places = placesOf(choices);
  return (value) => {
    if (!Array.isArray(value)) return new Refusal('must be a list of choices, such as ["…"]');
    const chosen: number[] = [];
    for (const [index, item] of (value as readonly Json[]).entries()) {
      const place = placeOf(item, { choices, places });
      if (place instanceof Refusal) return new Refusal(place.reason, { index });
      // grows with the choices there are, not with the list: a repeat ends it
      if (chosen.includes(place)) return new Refusal(`has the choice ${quoted(textAt(choices, place))} twice`, { index });
      chosen.push(place);
    }
    return chosen.sort((a, b) => a - b).map((place) => idAt(choices, place));
  };
}

function placesOf(choices: readonly ChoiceDefinition[]): Places {
  const places = new Map<string, number>();
  for (const [place, { translations = [] }] of choices.entries()) {
    for (const { text } of translations) places.set(text, places.has(text) && places.get(text) !== place ? -1 : place);
  }
  const texts = new Set(choices.map(({ text }) => text));
  for (const text of texts) places.delete(text); // a choice's own text means that choice
  for (const [place, choice] of choices.entries()) places.set(choice.text, places.has(choice.text) ? -1 : place);
  for (const [place, choice] of choices.entries()) places.set(choice.id, place);
  return places;
}

function placeOf(value: Json, of: { choices: readonly ChoiceDefinition[]; places: Places }): number | Refusal {
  if (typeof value !== 'string') return new Refusal('must be a choice, by its id or its exact text');
  const place = of.places.get(value);
  if (place === undefined) return new Refusal(`has no choice ${quoted(value)}; its choices are ${listed(of.choices)}`);
  if (place === -1) return new Refusal(`has several choices with the text ${quoted(value)}; name the one by its id`);
  return place;
}

const idAt = (choices: readonly ChoiceDefinition[], place: number): Id<'ch'> => choiceAt(choices, place).id;
const textAt = (choices: readonly ChoiceDefinition[], place: number): string => choiceAt(choices, place).text;

function choiceAt(choices: readonly ChoiceDefinition[], place: number): ChoiceDefinition {
  const choice = choices[place];
  if (!choice) throw new RangeError(`no choice at ${place}`);
  return choice;
}

function listed(choices: readonly ChoiceDefinition[]): string {
  const shown = choices.slice(0, 10).map((choice) => quoted(choice.text));
  return choices.length > shown.length ? `${shown.join(', ')} and ${choices.length - shown.length} more` : shown.join(', ');
}
