import { defineEntity, p } from '@mikro-orm/core';
import { idColumn } from '../columns.ts';

const FormPlacesSchema = defineEntity({
  name: 'FormPlaces',
  tableName: 'form_places',
  properties: {
    formId: idColumn<'form'>().primary(),
    /** First revisions that the form has; null: they must be counted first (see `countPlaces`). */
    taken: p.integer().nullable(),
  },
});

/**
 * How many of its `maxResponses` a form has. Kept only while there is a limit, by the statement that writes responses,
 * which locks the row: so it is exact in all processes, and forms without a limit pay nothing.
 */
export class FormPlaces extends FormPlacesSchema.class {}
FormPlacesSchema.setClass(FormPlaces);
