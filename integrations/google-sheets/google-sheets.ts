import type { Outcome, Provider, Settled } from '../provider.ts';
import { createAccessTokens } from './access-tokens.ts';
import { connect, disconnect } from './connect.ts';
import { quotasOf } from './credentials.ts';
import { deliver } from './deliver.ts';
import { interrupted } from './google.ts';
import { previewRow } from './preview-row.ts';
import { outcomeOfTrouble } from './row-outcome.ts';
import { createSerial } from './serial.ts';
import { googleSheetsSettings, type GoogleSheetsSettings } from './settings.ts';
import { GoogleTrouble } from './trouble.ts';
import { verify } from './verify.ts';
import { createMemory, openWorkbook, type SheetsContext, type Workbook } from './workbook.ts';

/** Keeps a Google spreadsheet in which each response has a row and each question a column. */
export const googleSheets = createGoogleSheets();

/** With a memory of its own; a process needs one. */
export function createGoogleSheets() {
  const remembered = { tokens: createAccessTokens(), memory: createMemory() };
  const serial = createSerial();

  /** One thing at a time with a sheet: what it should look like is decided by what came before. */
  const withSheet = async <Result>(context: SheetsContext, task: (workbook: Workbook) => Promise<Result>, onTrouble: (outcome: Trouble) => Result): Promise<Result> => {
    try {
      return await serial.run(context.integrationId, () => {
        if (context.signal.aborted) throw interrupted(context.signal);
        return task(openWorkbook(remembered, context));
      });
    } catch (error) {
      if (!(error instanceof GoogleTrouble)) throw error;
      return onTrouble(outcomeOfTrouble(error.trouble));
    }
  };

  return {
    name: 'googleSheets',
    title: 'Google Sheets',
    description: 'Keeps a spreadsheet of a form: each response a row, each question a column.',
    settings: googleSheetsSettings,
    // A call waits for its turn at the quota while the one before it runs, and then for that to end.
    limits: { batchSize: 1_000, batchBytes: 4_000_000, batchWaitMs: 1_000, concurrency: 2, timeoutMs: 60_000 },
    needsForm: true,
    // What tells of flags comes beside one of these, which has the flags in it.
    defaultEvents: ['response.created', 'response.amended', 'response.deleted'],
    quotas: quotasOf,
    preview: (event, { form }) => previewRow(event, form),
    deliver: (batch, context) => withSheet<Outcome[]>(context, (workbook) => deliver(batch, workbook), (outcome) => batch.map(() => outcome)),
    connect: (context) => withSheet<Settled<{ resourceUrl?: string }>>(context, connect, asIs),
    disconnect: (context) => withSheet<Settled>(context, disconnect, asIs),
    verify: (page, context) => withSheet(context, (workbook) => verify(page, workbook), asIs),
  } satisfies Provider<GoogleSheetsSettings>;
}

type Trouble = ReturnType<typeof outcomeOfTrouble>;
const asIs = (outcome: Trouble): Trouble => outcome;
