import { z } from 'zod';
import { googleErrors } from '../errors.ts';
import { deleteRange, sortRange, updateCells } from './cell-requests.ts';
import { appendDimension, deleteDimension, insertDimension, moveDimension } from './dimension-requests.ts';
import { InvalidRequest } from './invalid-request.ts';
import { createDeveloperMetadata, deleteDeveloperMetadata, updateDeveloperMetadata } from './metadata-requests.ts';
import type { Draft, RequestKind } from './request.ts';
import { addSheet, deleteSheet, updateSheetProperties, updateSpreadsheetProperties } from './sheet-requests.ts';
import { copyOf, type Spreadsheet } from './spreadsheet.ts';

const kinds: Record<string, RequestKind> = {
  addSheet,
  deleteSheet,
  updateSheetProperties,
  updateSpreadsheetProperties,
  updateCells,
  deleteRange,
  sortRange,
  appendDimension,
  insertDimension,
  deleteDimension,
  moveDimension,
  createDeveloperMetadata,
  updateDeveloperMetadata,
  deleteDeveloperMetadata,
};

/**
 * Applies a batch to a copy of the spreadsheet: all of it or, where a request is wrong, none, with Google's 400. Throws
 * a plain error for kinds of requests that exist but are not simulated, so that no test passes by them.
 */
export function applyBatch(before: Spreadsheet, { requests, project, newId }: { requests: unknown; project: string; newId: () => number }) {
  const list = z.array(z.record(z.string(), z.unknown())).safeParse(requests);
  if (!list.success || list.data.length === 0) throw googleErrors.invalidArgument('Must specify at least one request.');
  const draft: Draft = { spreadsheet: copyOf(before), project, newId };
  const replies = list.data.map((request, place) => applyOne(draft, request, place));
  return { spreadsheet: draft.spreadsheet, replies };
}

function applyOne(draft: Draft, request: Record<string, unknown>, place: number): Record<string, unknown> {
  const [name, ...more] = Object.keys(request);
  if (name === undefined) throw googleErrors.invalidArgument(`Invalid requests[${place}]: No request set.`);
  if (more.length > 0) throw unknownField(more[0] ?? '', `requests[${place}]`, 'Proto field is not repeating, cannot start list.');
  const kind = kinds[name];
  if (kind === undefined) throw new Error(`The simulator knows no request "${name}".`);
  try {
    const reply = kind.apply(draft, parse(kind.schema, { value: request[name], at: `requests[${place}].${name}` }) as never);
    return reply === undefined ? {} : { [name]: reply };
  } catch (error) {
    if (error instanceof InvalidRequest) throw googleErrors.invalidArgument(`Invalid requests[${place}].${name}: ${error.message}`);
    throw error;
  }
}

/** Google's parser refuses names it does not know, and values of another type. */
export function parse(schema: z.ZodType, { value, at }: { value: unknown; at: string }): unknown {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const path = [at, ...(issue?.path ?? [])].map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`)).join('').slice(1);
  if (issue?.code === 'unrecognized_keys') throw unknownField(issue.keys[0] ?? '', path, 'Cannot find field.');
  throw googleErrors.invalidArgument(`Invalid value at '${path}': ${issue?.message ?? ''}`);
}

function unknownField(name: string, path: string, why: string) {
  return googleErrors.invalidArgument(`Invalid JSON payload received. Unknown name "${name}" at '${path}': ${why}`);
}
