import type { Json } from '../../src/events/canonical-json.ts';
import type { Event } from '../../src/events/event.ts';
import type { FormShape } from '../provider.ts';
import { columnsOf } from './column.ts';
import { eventRow } from './event-row.ts';

/** The row of a response as a person would see it: each column's title and what stands in it. */
export function previewRow(event: Event, form: FormShape): Json {
  const { cells } = eventRow(event).row;
  return columnsOf(form.questions).map(({ id, title }) => {
    const { stringValue, numberValue, boolValue } = cells.get(id)?.userEnteredValue ?? {};
    return { column: title, value: stringValue ?? numberValue ?? boolValue ?? null };
  });
}
