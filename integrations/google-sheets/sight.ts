import type { sheets_v4 } from '@googleapis/sheets';
import { z } from 'zod';
import { parseTag, tagKey } from './column-tag.ts';
import type { Google } from './google.ts';
import { placesOf, type Header, type TaggedColumn } from './plan-header.ts';
import { GoogleTrouble, isRefusal } from './trouble.ts';

/** A spreadsheet as it was at a moment. Its users may change it at any other. */
export interface Sight {
  header: Header;
  rowCount: number;
  columnCount: number;
  /** Milliseconds since 1970. */
  seenAt: number;
}

/** The tab that a new spreadsheet has. It keeps this id when users rename it or put others before it. */
export const sheetId = 0;

const metadata = z.object({ metadataId: z.number(), metadataKey: z.string().default(''), metadataValue: z.string().default('') });
const tagged = z.object({ developerMetadata: z.array(metadata).default([]) });
const grid = z.object({
  rowData: z.array(z.object({ values: z.array(z.object({ formattedValue: z.string().default('') })).default([]) })).default([]),
  columnMetadata: z.array(tagged).default([]),
});
const spreadsheet = tagged.extend({
  sheets: z.array(tagged.extend({ properties: z.object({ gridProperties: z.object({ rowCount: z.number(), columnCount: z.number() }) }), data: z.array(grid) })).length(1),
});

const metadataFields = 'developerMetadata(metadataId,metadataKey,metadataValue)';
const fields = `${metadataFields},sheets(properties(gridProperties(rowCount,columnCount)),${metadataFields},data(rowData(values(formattedValue)),columnMetadata(${metadataFields})))`;

/** Reads the header row and what our columns are tagged with. Costs one read. */
export async function look(google: Google, spreadsheetId: string, now: Date): Promise<Sight> {
  const dataFilters = [{ gridRange: { sheetId, startRowIndex: 0, endRowIndex: 1 } }];
  const seen = await google
    .ask(spreadsheet, ({ sheets, options }) => sheets.spreadsheets.getByDataFilter({ spreadsheetId, fields, requestBody: { dataFilters } }, options))
    .catch((error: unknown) => Promise.reject(isRefusal(error) ? tabIsGone() : error));
  return sightOf(seen, now);
}

function sightOf(seen: z.output<typeof spreadsheet>, now: Date): Sight {
  const [sheet] = seen.sheets;
  const data = sheet?.data[0];
  const titles = data?.rowData[0]?.values ?? [];
  const ofColumns = data?.columnMetadata ?? [];
  const columns = ofColumns.flatMap(({ developerMetadata }, index) => developerMetadata.flatMap((item) => taggedColumn(item, { index, title: titles[index]?.formattedValue ?? '' })));
  const metadataIds = new Set([seen, ...seen.sheets, ...ofColumns].flatMap(({ developerMetadata }) => developerMetadata.map(({ metadataId }) => metadataId)));
  const { rowCount = 0, columnCount = 0 } = sheet?.properties.gridProperties ?? {};
  return { header: { sheetId, columns, metadataIds }, rowCount, columnCount, seenAt: now.getTime() };
}

function taggedColumn({ metadataId, metadataKey, metadataValue }: z.output<typeof metadata>, { index, title }: { index: number; title: string }): TaggedColumn[] {
  const tag = metadataKey === tagKey ? parseTag(metadataValue) : undefined;
  return tag ? [{ index, title, metadataId, tag }] : [];
}

const tabIsGone = (): GoogleTrouble =>
  new GoogleTrouble({ status: 'blocked', reason: 'The tab with the responses was deleted from the spreadsheet; bring it back from the version history.' });

/**
 * A request that changes nothing and whose answer says where our columns stand: within the batch it ends, so at the very
 * moment when the batch took effect, and without a read.
 */
export const askForPlaces: sheets_v4.Schema$Request = {
  updateDeveloperMetadata: {
    dataFilters: [{ developerMetadataLookup: { metadataKey: tagKey, locationType: 'COLUMN' } }],
    developerMetadata: { metadataKey: tagKey },
    fields: 'metadataKey',
  },
};

const located = metadata.extend({ location: z.object({ dimensionRange: z.object({ sheetId: z.number().default(0), startIndex: z.number().default(0) }) }) });
const places = z.object({ replies: z.array(z.object({ updateDeveloperMetadata: z.object({ developerMetadata: z.array(located).default([]) }).optional() })) });

/** Sends requests as one batch, all or none of which takes effect; answers where our columns stood then. Costs one write. */
export async function sendBatch(google: Google, spreadsheetId: string, requests: readonly sheets_v4.Schema$Request[]): Promise<Map<string, number>> {
  const requestBody = new Batch([...requests, askForPlaces]);
  const { replies } = await google.ask(places, ({ sheets, options }) => sheets.spreadsheets.batchUpdate({ spreadsheetId, requestBody }, options));
  const found = replies.at(-1)?.updateDeveloperMetadata?.developerMetadata ?? [];
  const columns = found
    .filter(({ location }) => location.dimensionRange.sheetId === sheetId)
    .flatMap((item) => taggedColumn(item, { index: item.location.dimensionRange.startIndex, title: '' }));
  return placesOf({ sheetId, columns, metadataIds: new Set() });
}

/** The clients copy plain objects to the bottom, twice, which for a large batch takes longer than to send it. */
class Batch {
  readonly requests: sheets_v4.Schema$Request[];
  constructor(requests: sheets_v4.Schema$Request[]) {
    this.requests = requests;
  }
}
