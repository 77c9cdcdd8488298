import type { sheets_v4 } from '@googleapis/sheets';
import type { Column } from '../../integrations/google-sheets/column.ts';
import { parseTag, tagKey } from '../../integrations/google-sheets/column-tag.ts';
import { placesOf, planHeader, planNewSheet, type Header, type Removal } from '../../integrations/google-sheets/plan-header.ts';
import { writeRequests, type PlacedRow } from '../../integrations/google-sheets/write-rows.ts';
import { applyBatch } from './google/sheets/batch-update.ts';
import { render } from './google/sheets/read.ts';
import { cellAt, createSpreadsheet, sheetOf, type Spreadsheet } from './google/sheets/spreadsheet.ts';

/** A spreadsheet without a server, to try plans on. */
export interface LaidOutSheet {
  apply(requests: readonly sheets_v4.Schema$Request[]): void;
  header(): Header;
  /** Brings the header to these columns; returns the requests that took. */
  bringTo(columns: readonly Column[], removal?: Removal): readonly sheets_v4.Schema$Request[];
  write(rows: readonly PlacedRow[]): void;
  rows(): (string | number | boolean)[][];
  titles(): string[];
  spreadsheet(): Spreadsheet;
}

export function layOut(columns: readonly Column[]): LaidOutSheet {
  let spreadsheet = createSpreadsheet('file', 'Survey');
  let nextId = 1;
  const project = 'formwire-project';
  const sheet: LaidOutSheet = {
    apply(requests) {
      if (requests.length > 0) spreadsheet = applyBatch(spreadsheet, { requests, project, newId: () => nextId++ }).spreadsheet;
    },
    header: () => readHeader(spreadsheet),
    bringTo(wanted, removal = 'keep') {
      const requests = planHeader(sheet.header(), wanted, removal);
      sheet.apply(requests);
      return requests;
    },
    write(rows) {
      sheet.apply(writeRequests({ sheetId: 0, rowCount: sheetOf(spreadsheet).rowCount, places: placesOf(sheet.header()) }, rows));
    },
    rows() {
      const { rows, columnCount } = sheetOf(spreadsheet);
      return rows.map((row) => Array.from({ length: columnCount }, (_, index) => render(row[index], 'UNFORMATTED_VALUE')));
    },
    titles: () => (sheet.rows()[0] ?? []).map(String),
    spreadsheet: () => spreadsheet,
  };
  sheet.apply(planNewSheet({ sheetId: 0, title: 'Responses', rowCount: 10 }, columns));
  return sheet;
}

function readHeader(spreadsheet: Spreadsheet): Header {
  const sheet = sheetOf(spreadsheet);
  const columns = spreadsheet.metadata.flatMap(({ metadataId, metadataKey, metadataValue = '', place }) => {
    const tag = parseTag(metadataValue);
    if (metadataKey !== tagKey || place.locationType !== 'COLUMN' || tag === undefined) return [];
    const title = String(render(cellAt(sheet, 0, place.index), 'FORMATTED_VALUE'));
    return [{ index: place.index, title, metadataId, tag }];
  });
  return { sheetId: 0, columns, metadataIds: new Set(spreadsheet.metadata.map(({ metadataId }) => metadataId)) };
}
