import { p } from '@mikro-orm/core';
import type { Id, IdPrefix } from './events/id.ts';
import type { Json } from './events/canonical-json.ts';

/** Columns that every entity spells the same way. */

/** Ids are ASCII: bytewise order is their time order in every locale, and the cheapest to compare. */
export const idColumn = <P extends IdPrefix>() => p.text().$type<Id<P>>().columnType('text').collation('C');

/** To the millisecond: what JavaScript keeps, so that a time read back renders the same bytes. */
export const timeColumn = () => p.datetime().columnType('timestamptz(3)');

export const jsonColumn = <T = Json>() => p.json().$type<T>().columnType('jsonb');
