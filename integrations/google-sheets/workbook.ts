import { createBoundedCache } from '../../src/bounded-cache.ts';
import type { CallContext } from '../provider.ts';
import type { AccessTokens } from './access-tokens.ts';
import { credentialsOf } from './credentials.ts';
import { describeFile } from './drive-files.ts';
import { openGoogle, type Google } from './google.ts';
import type { GoogleSheetsSettings } from './settings.ts';
import { look, type Sight } from './sight.ts';
import { GoogleTrouble, isRefusal } from './trouble.ts';

export type SheetsContext = CallContext<GoogleSheetsSettings>;

/** What this process remembers of spreadsheets, so that a call need not ask for it. Forgotten at any doubt. */
export interface Memory {
  sight(spreadsheetId: string): Sight | undefined;
  keepSight(spreadsheetId: string, sight: Sight): void;
  /** When the file was last seen outside of the bin. */
  seenOutOfBin(spreadsheetId: string): number | undefined;
  keepOutOfBin(spreadsheetId: string, at: number): void;
  forget(spreadsheetId: string): void;
  /** Notes how often a sheet was closed; answers whether that is what was known. */
  keepClosings(integrationId: string, count: number): boolean;
}

const limits = { columns: 200_000, files: 10_000 };

export function createMemory(): Memory {
  const sights = createBoundedCache<string, Sight>({ maxWeight: limits.columns });
  const outOfBin = createBoundedCache<string, number>({ maxWeight: limits.files });
  const closings = createBoundedCache<string, number>({ maxWeight: limits.files });
  return {
    sight: sights.get,
    keepSight: (spreadsheetId, sight) => sights.set(spreadsheetId, sight, sight.header.columns.length + 1),
    seenOutOfBin: outOfBin.get,
    keepOutOfBin: (spreadsheetId, at) => outOfBin.set(spreadsheetId, at, 1),
    forget(spreadsheetId) {
      sights.delete(spreadsheetId);
      outOfBin.delete(spreadsheetId);
    },
    keepClosings(integrationId, count) {
      const known = closings.get(integrationId);
      closings.set(integrationId, count, 1);
      return known === count;
    },
  };
}

/** One call of the provider, with Google and what is remembered. */
export interface Workbook {
  google: Google;
  memory: Memory;
  context: SheetsContext;
}

export const openWorkbook = ({ tokens, memory }: { tokens: AccessTokens; memory: Memory }, context: SheetsContext): Workbook => ({
  google: openGoogle(tokens, credentialsOf(context.settings), context),
  memory,
  context,
});

/**
 * How old what we saw of a header may be when rows are written by it. Under load each batch's answer shows it anew, so
 * that reads are rare; a sheet that had nothing for a while is looked at before it is written to.
 */
const maxSightAgeMs = 5_000;

export async function sightOf({ google, memory, context }: Workbook, spreadsheetId: string): Promise<Sight> {
  const now = context.now();
  const known = memory.sight(spreadsheetId);
  if (known && now.getTime() - known.seenAt < maxSightAgeMs) return known;
  const sight = await look(google, spreadsheetId, now);
  memory.keepSight(spreadsheetId, sight);
  return sight;
}

/** Reads by what was seen of a sheet. Where Google refuses that, rows or columns are gone since: it is looked at again. */
export async function readBySight<Result>(workbook: Workbook, spreadsheetId: string, read: (sight: Sight) => Promise<Result>): Promise<Result> {
  try {
    return await read(await sightOf(workbook, spreadsheetId));
  } catch (error) {
    if (!isRefusal(error)) throw error;
    workbook.memory.forget(spreadsheetId);
    return read(await sightOf(workbook, spreadsheetId));
  }
}

const outOfBinMs = 60_000;

/** Google goes on writing to a file in the bin; its owner would lose the rows. Looked up once a minute. Throws GoogleTrouble. */
export async function assertOutOfBin({ google, memory, context }: Workbook, spreadsheetId: string): Promise<void> {
  const now = context.now().getTime();
  if (now - (memory.seenOutOfBin(spreadsheetId) ?? -Infinity) < outOfBinMs) return;
  const { name, trashed } = await describeFile(google, spreadsheetId);
  if (trashed) throw new GoogleTrouble({ status: 'blocked', reason: `The spreadsheet "${name}" is in the bin: restore it, or delete the integration.` });
  memory.keepOutOfBin(spreadsheetId, now);
}
