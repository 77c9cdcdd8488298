import type { Cell } from './table.ts';
import type { GoogleSimulator } from './simulators.ts';

/** A spreadsheet of the demo's, in a shared drive of a service account. */
export interface DemoSheet {
  settings: Record<string, unknown>;
  /** What a person sees in it: the header, and a row for each response. */
  rows(): Cell[][];
  sharedWith(): string[];
  isBinned(): boolean;
}

export function createDemoSheet(google: GoogleSimulator): DemoSheet {
  const account = google.accounts.addServiceAccount();
  const folderId = google.addSharedDrive({ [account.email]: 'fileOrganizer' });
  const key = JSON.stringify({ type: 'service_account', project_id: account.project, client_email: account.email, private_key: account.privateKey, private_key_id: account.privateKeyId });
  const files = () => google.files().filter(({ trashed, driveId }) => !trashed && driveId === folderId);
  return {
    settings: { googleSheets: { serviceAccount: { key }, folderId } },
    rows: () => files().flatMap(({ id }) => google.asUser.rows(id)),
    sharedWith: () => files().flatMap(({ permissions }) => permissions.flatMap(({ emailAddress }) => emailAddress ?? [])),
    isBinned: () => files().length === 0,
  };
}
