import { createGoogleSheets } from '../../integrations/google-sheets/google-sheets.ts';
import { googleSheetsSettings, type GoogleSheetsSettings } from '../../integrations/google-sheets/settings.ts';
import type { CallContext, FormShape, Outcome } from '../../integrations/provider.ts';
import type { Event } from '../../src/events/event.ts';
import { createHttpClient } from '../../src/outbound/http-client.ts';
import { createCallContext, formShape } from './call-context.ts';
import type { ServiceAccount } from './google/accounts.ts';
import { spreadsheetType, type DriveFile } from './google/drive-files.ts';
import { startGoogle, type GoogleOptions, type GoogleSimulator } from './google/google.ts';
import { keyFileOf } from './google/key-file.ts';
import { createManualClock, type ManualClock } from './simulators/clock.ts';

/** The provider beside a simulator of Google, with one integration, whose form and settings a test may change. */
export interface SheetWorld extends AsyncDisposable {
  google: GoogleSimulator;
  account: ServiceAccount;
  driveId: string;
  clock: ManualClock;
  provider: ReturnType<typeof createGoogleSheets>;
  /** A process that knows nothing of what this one remembers. */
  restart(): void;
  form: FormShape;
  settings: GoogleSheetsSettings;
  context(changes?: Partial<CallContext<GoogleSheetsSettings>>): CallContext<GoogleSheetsSettings>;
  connect(): ReturnType<ReturnType<typeof createGoogleSheets>['connect']>;
  deliver(...events: Event[]): Promise<Outcome[]>;
  /** Again and again, with the waits that are asked for, until nothing is left to be tried. */
  deliverAll(events: readonly Event[]): Promise<Outcome[]>;
  /** Not in the bin, the oldest first. */
  spreadsheets(): DriveFile[];
  /** The first spreadsheet's. */
  fileId(): string;
  rows(): ReturnType<GoogleSimulator['asUser']['rows']>;
  count(operation: string): number;
}

export async function openSheetWorld(options: GoogleOptions & { form?: FormShape; settings?: Partial<GoogleSheetsSettings> } = {}): Promise<SheetWorld> {
  const clock = createManualClock();
  const google = await startGoogle({ clock, ...options });
  const account = google.accounts.addServiceAccount();
  const driveId = google.addSharedDrive({ [account.email]: 'fileOrganizer' });
  const http = createHttpClient({ policy: { allowLoopback: true } });
  const settings = googleSheetsSettings.parse({ serviceAccount: { key: keyFileOf(account) }, folderId: driveId, ...options.settings });
  const base = createCallContext(settings, { now: clock.now, http, serviceUrl: () => google.url });
  const world: SheetWorld = {
    google,
    account,
    driveId,
    clock,
    provider: createGoogleSheets(),
    restart: () => void (world.provider = createGoogleSheets()),
    form: options.form ?? formShape(),
    settings,
    context: (changes) => ({ ...base, settings: world.settings, form: async () => world.form, ...changes }),
    connect: () => world.provider.connect(world.context()),
    deliver: (...events) => world.provider.deliver(events.map((event) => ({ event, attempt: 1 })), world.context()),
    deliverAll: (events) => deliverAll(world, events),
    spreadsheets: () => google.files().filter(({ mimeType, trashed }) => mimeType === spreadsheetType && !trashed),
    fileId: () => world.spreadsheets()[0]?.id ?? '',
    rows: () => google.asUser.rows(world.fileId()),
    count: (operation) => google.requests.filter((request) => request.operation === operation).length,
    async [Symbol.asyncDispose]() {
      await http.close();
      await google.close();
    },
  };
  return world;
}

const mostRounds = 200;
const defaultWaitMs = 60_000;

async function deliverAll(world: SheetWorld, events: readonly Event[]): Promise<Outcome[]> {
  const last = new Map<Event, Outcome>();
  for (let round = 0; round < mostRounds; round += 1) {
    const waiting = events.filter((event) => isUnfinished(last.get(event))).slice(0, world.provider.limits.batchSize);
    if (waiting.length === 0) return events.map((event) => last.get(event) as Outcome);
    const outcomes = await world.deliver(...waiting);
    waiting.forEach((event, index) => last.set(event, outcomes[index] as Outcome));
    if (outcomes.some(isUnfinished)) world.clock.advance(defaultWaitMs);
  }
  throw new Error(`not delivered after ${mostRounds} rounds: ${JSON.stringify([...last.values()].filter(isUnfinished)[0])}`);
}

const isUnfinished = (outcome: Outcome | undefined): boolean => !['delivered', 'rejected', 'skipped'].includes(outcome?.status ?? '');
