import type { Event } from '../../../src/events/event.ts';
import type { ServiceAccount } from '../../support/google/accounts.ts';
import { GoogleError, googleErrors, replyOf } from '../../support/google/errors.ts';
import { spreadsheetType } from '../../support/google/drive-files.ts';
import { startGoogle, type GoogleSimulator } from '../../support/google/google.ts';
import type { ManualClock } from '../../support/simulators/clock.ts';
import type { LoggedRequest } from '../../support/simulators/server.ts';
import type { Service } from '../service.ts';
import { createManners, type Wording } from './simulated-manner.ts';

const reply = (error: GoogleError) => replyOf(error, 'sheets');
const wording: Wording = {
  refused: reply(googleErrors.forbidden()),
  failed: reply(googleErrors.backendError()),
  throttled: (seconds) => reply(googleErrors.rateLimitExceeded(undefined, seconds)),
};

/** Google with a service account and a shared drive that its spreadsheets are made in. */
export async function startGoogleService<Settings>(clock: ManualClock, settingsFor: (account: ServiceAccount, driveId: string) => Settings): Promise<Service<Settings>> {
  const google = await startGoogle({ clock });
  const account = google.accounts.addServiceAccount();
  const driveId = google.addSharedDrive({ [account.email]: 'fileOrganizer' });
  const isMeant = ({ operation }: LoggedRequest) => operation.startsWith('sheets.') || operation.startsWith('drive.');
  return {
    settings: settingsFor(account, driveId),
    // Line by line: inside of a key file, line breaks are escaped.
    secrets: account.privateKey.split('\n').filter((line) => line.length > 40),
    context: { serviceUrl: (name) => (name === 'google' ? google.url : undefined) },
    behave: createManners(google, { wording, isMeant }),
    effectsOf: ({ responseId }: Event) => rowsOf(google).filter(([first]) => first === responseId).length,
    requestCount: () => google.requests.filter(isMeant).length,
    end: () => google.close(),
    madeCount: () => spreadsheetsOf(google).length,
    [Symbol.asyncDispose]: () => google.close(),
  };
}

const spreadsheetsOf = (google: GoogleSimulator) => google.files().filter(({ mimeType, trashed }) => mimeType === spreadsheetType && !trashed);

/** What a person sees in all spreadsheets that are not in the bin. */
const rowsOf = (google: GoogleSimulator) => spreadsheetsOf(google).flatMap(({ id }) => google.asUser.rows(id));
