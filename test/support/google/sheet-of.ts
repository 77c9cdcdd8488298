import type { sheets_v4 } from '@googleapis/sheets';
import type { ServiceAccount } from './accounts.ts';
import { connectServiceAccount, type GoogleClients } from './clients.ts';
import { spreadsheetType } from './drive-files.ts';
import { startGoogle, type GoogleOptions, type GoogleSimulator } from './google.ts';

/** A simulator with one spreadsheet in it, and clients of the service account that made it. */
export interface SheetSetUp extends GoogleClients, AsyncDisposable {
  google: GoogleSimulator;
  account: ServiceAccount;
  spreadsheetId: string;
  batch(...requests: sheets_v4.Schema$Request[]): Promise<sheets_v4.Schema$Response[]>;
  /** The message and the reason with which a batch was refused; undefined where it was not. */
  refusal(...requests: sheets_v4.Schema$Request[]): Promise<string | undefined>;
}

export async function setUpSheet(options: GoogleOptions = {}): Promise<SheetSetUp> {
  const google = await startGoogle(options);
  const account = google.accounts.addServiceAccount();
  const driveId = google.addSharedDrive({ [account.email]: 'fileOrganizer' });
  const clients = connectServiceAccount(google, account);
  const requestBody = { name: 'Survey', mimeType: spreadsheetType, parents: [driveId] };
  const { data } = await clients.drive.files.create({ requestBody, supportsAllDrives: true });
  const spreadsheetId = data.id ?? '';
  const batch = async (...requests: sheets_v4.Schema$Request[]) => {
    const { data } = await clients.sheets.spreadsheets.batchUpdate({ spreadsheetId, requestBody: { requests } });
    return data.replies ?? [];
  };
  return {
    google,
    account,
    spreadsheetId,
    ...clients,
    batch,
    refusal: (...requests) => batch(...requests).then(() => undefined, describeError),
    [Symbol.asyncDispose]: () => google.close(),
  };
}

interface ClientError {
  status?: number;
  message: string;
  response?: { data?: { error?: { errors?: { reason: string }[]; status?: string } } };
}

/** `400 INVALID_ARGUMENT badRequest: …`. */
export function describeError(thrown: unknown): string {
  const error = thrown as ClientError;
  const body = error.response?.data?.error;
  return `${error.status} ${body?.status} ${body?.errors?.[0]?.reason}: ${error.message}`;
}

/** A request that writes rows of values from a cell of the first sheet on. */
export function writeRows(values: readonly (readonly (string | number | boolean | null)[])[], at: { row?: number; column?: number; sheetId?: number } = {}): sheets_v4.Schema$Request {
  const start = { sheetId: at.sheetId ?? 0, rowIndex: at.row ?? 0, columnIndex: at.column ?? 0 };
  return { updateCells: { start, rows: values.map((row) => ({ values: row.map(cellOf) })), fields: 'userEnteredValue' } };
}

function cellOf(value: string | number | boolean | null): sheets_v4.Schema$CellData {
  if (value === null) return {};
  if (typeof value === 'string') return { userEnteredValue: { stringValue: value } };
  return { userEnteredValue: typeof value === 'number' ? { numberValue: value } : { boolValue: value } };
}
