import { z } from 'zod';
import type { Event } from '../../src/events/event.ts';
import type { ResponseData } from '../../src/events/response-data.ts';
import { responseColumns } from './column.ts';
import { erasedRow, rowCells, type RowCells } from './row-cells.ts';

/** What an event says of the row of its response. */
export interface EventRow {
  /** Whose row it is, through all of its revisions. */
  familyId: string;
  /** Of two rows for the same response the higher one counts: its revision; what is erased is above all. */
  rank: number;
  formVersion: number;
  row: RowCells;
  /** The columns, as the form calls them, whose texts were too long for a cell. */
  cut: readonly string[];
}

export const erasedRank = Number.MAX_SAFE_INTEGER;

/** Our own event: only what decides about the row is looked at again. */
const body = z.looseObject({
  data: z.looseObject({
    form: z.looseObject({ version: z.number() }),
    response: z.looseObject({ familyId: z.string(), revision: z.number() }),
  }),
});

/** Reads an event's body. Throws where it is none of ours. */
export function eventRow({ type, body: bytes }: Pick<Event, 'type' | 'body'>): EventRow {
  const { data } = body.parse(JSON.parse(Buffer.from(bytes).toString()));
  const { familyId, revision } = data.response;
  const formVersion = data.form.version;
  if (type === 'response.deleted') return { familyId, rank: erasedRank, formVersion, row: erasedRow, cut: [] };
  const written = revived(data as unknown as WrittenData);
  const row = rowCells(written);
  return { familyId, rank: revision, formVersion, row, cut: row.cut.map((id) => titleIn(written, id)) };
}

const titleIn = ({ response }: ResponseData, columnId: string): string =>
  response.answers.find(({ questionId }) => questionId === columnId)?.question ?? responseColumns.find(({ id }) => id === columnId)?.title ?? columnId;

type WrittenData = Omit<ResponseData, 'response'> & { response: Omit<ResponseData['response'], 'submittedAt'> & { submittedAt: string } };

const revived = ({ response, ...data }: WrittenData): ResponseData => ({ ...data, response: { ...response, submittedAt: new Date(response.submittedAt) } });
