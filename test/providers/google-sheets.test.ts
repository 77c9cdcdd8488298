import { googleSheets } from '../../integrations/google-sheets/google-sheets.ts';
import { googleSheetsSettings } from '../../integrations/google-sheets/settings.ts';
import { keyFileOf } from '../support/google/key-file.ts';
import { describeProvider } from './contract.ts';
import { startGoogleService } from './services/google-service.ts';

describeProvider({
  provider: googleSheets,
  start: (clock) => startGoogleService(clock, (account, driveId) => googleSheetsSettings.parse({ serviceAccount: { key: keyFileOf(account) }, folderId: driveId })),
});
