import { randomInt } from 'node:crypto';
import { systemClock, type Clock } from '../simulators/clock.ts';
import { serve, type LoggedRequest, type Reply, type Simulator } from '../simulators/server.ts';
import { createAccounts, type Accounts } from './accounts.ts';
import type { ApiCall } from './api-call.ts';
import { createAsUser, type AsUser } from './as-user.ts';
import { createDrive } from './drive.ts';
import { createDriveFiles, newFileId, spreadsheetType, type DriveFile, type DriveFiles, type Role } from './drive-files.ts';
import { GoogleError, googleErrors, replyOf } from './errors.ts';
import { createQuotas, defaultLimits, type QuotaLimits } from './quotas.ts';
import { createSheets, isWrite, sheetsOperation } from './sheets/sheets.ts';
import { createSpreadsheet, type Spreadsheet } from './sheets/spreadsheet.ts';
import { createTokens, type Tokens } from './tokens.ts';

export interface GoogleOptions {
  clock?: Clock;
  /** Requests a minute; what is not given is as Google's defaults are. */
  quotas?: Partial<QuotaLimits>;
  /** How long a new file stays out of files.list. */
  listDelayMs?: number;
  port?: number;
}

/** One server for Google's token endpoint, Drive v3 and Sheets v4. */
export interface GoogleSimulator extends Simulator {
  /** What a client library takes as `rootUrl`. */
  rootUrl: string;
  tokenUrl: string;
  accounts: Accounts;
  /** All files, whoever owns them. */
  files(): DriveFile[];
  /** Makes a shared drive; its id is the parent to create files in. */
  addSharedDrive(members: Record<string, Role>): string;
  /** Moves a file between roles of a person, as its owner would; undefined takes their access away. */
  setRole(fileId: string, email: string, role: Role | undefined): void;
  asUser: AsUser;
}

/**
 * Starts a simulator of Google on loopback that the real client libraries talk to.
 *
 *     await using google = await startGoogle();
 *     const account = google.accounts.addServiceAccount();
 *     const driveId = google.addSharedDrive({ [account.email]: 'fileOrganizer' });
 *     google.faults.add({ when: ({ operation }) => operation === 'sheets.batchUpdate', outcome: { kind: 'drop', applied: true } });
 *     …
 *     expect(google.asUser.rows(spreadsheetId)).toEqual([['Name'], ['Ada']]);
 */
export async function startGoogle(options: GoogleOptions = {}): Promise<GoogleSimulator> {
  const { clock = systemClock, quotas = {}, listDelayMs = 0, port } = options;
  const accounts = createAccounts();
  const files = createDriveFiles({ clock, listDelayMs });
  const spreadsheets = new Map<string, Spreadsheet>();
  const newId = (): number => randomInt(1, 2 ** 31 - 1);
  let url = '';
  const tokens = createTokens({ accounts, clock, audiences: () => ['https://oauth2.googleapis.com/token', `${url}/token`] });
  const handle = createHandler({ files, spreadsheets, newId, clock, tokens, limits: { ...defaultLimits, ...quotas } });
  const describe = ({ method, path, headers }: Pick<LoggedRequest, 'method' | 'path' | 'headers'>) => {
    const account = tokens.verify(headers.authorization)?.account.email;
    return { operation: operationOf(method, path), ...(account !== undefined && { account }) };
  };
  const simulator = await serve({ clock, port, describe, handle });
  url = simulator.url;
  return {
    ...simulator,
    rootUrl: `${url}/`,
    tokenUrl: `${url}/token`,
    accounts,
    files: () => [...files.files.values()],
    addSharedDrive(members) {
      const id = newFileId().slice(0, 19);
      files.drives.set(id, { id, name: 'Shared', members: new Map(Object.entries(members)) });
      return id;
    },
    setRole(fileId, email, role) {
      const file = files.files.get(fileId);
      if (file === undefined) throw new Error(`There is no file ${fileId}.`);
      const others = file.permissions.filter(({ emailAddress }) => emailAddress !== email);
      file.permissions = role === undefined ? others : [...others, { id: `of ${email}`, type: 'user', role, emailAddress: email }];
    },
    asUser: createAsUser({ files, spreadsheets, newId }),
  };
}

interface HandlerDeps {
  files: DriveFiles;
  spreadsheets: Map<string, Spreadsheet>;
  newId: () => number;
  clock: Clock;
  tokens: Tokens;
  limits: QuotaLimits;
}

/** Google says so in these words; two megabytes are its advice, this is where it refuses. */
const maxPayloadBytes = 10_485_760;

function createHandler(deps: HandlerDeps): (request: LoggedRequest) => Promise<Reply> {
  const { files, spreadsheets, newId, clock, tokens } = deps;
  const quotas = createQuotas(deps.limits, clock);
  const onCreated = (file: DriveFile): void => {
    if (file.mimeType === spreadsheetType) spreadsheets.set(file.id, createSpreadsheet(file.id, file.name));
  };
  const onRenamed = (file: DriveFile): void => {
    const spreadsheet = spreadsheets.get(file.id);
    if (spreadsheet) spreadsheet.title = file.name;
  };
  const drive = createDrive({ files, clock, onCreated, onRenamed, onDeleted: (file) => void spreadsheets.delete(file.id) });
  const create = ({ account }: ApiCall, title: string): Spreadsheet => {
    const file = files.create({ name: title, mimeType: spreadsheetType, parents: [`root-of-${account.email}`], by: account });
    onCreated(file);
    return spreadsheets.get(file.id) ?? createSpreadsheet(file.id, title);
  };
  const sheets = createSheets({ files, spreadsheets, newId, create });
  return async (request) => {
    const [api, operation = ''] = splitOperation(request.operation);
    try {
      if (api === 'token') return await tokens.grant(new URLSearchParams(request.body.toString()));
      if (api === 'unknown') throw googleErrors.notFound();
      const call = permittedCall(request, { tokens, scope: api === 'drive' ? /auth\/drive(\.file)?$/ : /auth\/(spreadsheets|drive(\.file)?)$/ });
      quotas.spend(api === 'drive' ? 'Drive' : isWrite(operation) ? 'Write' : 'Read', call.account);
      return api === 'drive' ? drive(call) : sheets(operation, call);
    } catch (error) {
      if (error instanceof GoogleError) return replyOf(error, api === 'drive' ? 'drive' : 'sheets');
      return { status: 501, body: { error: { code: 501, message: String(error) } } };
    }
  };
}

function permittedCall(request: LoggedRequest, { tokens, scope }: { tokens: Tokens; scope: RegExp }): ApiCall {
  const token = tokens.verify(request.headers.authorization);
  if (token === undefined) throw googleErrors.unauthenticated();
  if (!token.scopes.some((granted) => scope.test(granted))) throw googleErrors.insufficientScopes();
  if (request.body.length > maxPayloadBytes) throw googleErrors.invalidArgument(`Request payload size exceeds the limit: ${maxPayloadBytes} bytes.`);
  const { method, query } = request;
  const path = request.path.replace(/^\/(drive\/v3|v4)\//, '');
  const isOwnFilesOnly = token.scopes.every((granted) => granted.endsWith('auth/drive.file'));
  return { method, query, path, body: parseBody(request.body), account: token.account, isOwnFilesOnly };
}

function parseBody(body: Buffer): unknown {
  if (body.length === 0) return undefined;
  try {
    return JSON.parse(body.toString());
  } catch {
    throw googleErrors.invalidArgument('Invalid JSON payload received. Unexpected token.');
  }
}

/** `token`, `drive.files.create`, `drive.permissions.list`, `sheets.batchUpdate`, `sheets.values.get`, `unknown`. */
function operationOf(method: string, path: string): string {
  if (path === '/token') return 'token';
  if (path.startsWith('/v4/')) {
    const operation = sheetsOperation(method, path.slice('/v4/'.length));
    return operation === undefined ? 'unknown' : `sheets.${operation}`;
  }
  const match = /^\/drive\/v3\/files(?:\/[^/]+(\/permissions)?(\/[^/]+)?)?$/.exec(path);
  if (match === null) return 'unknown';
  const isList = path.endsWith('/files') || path.endsWith('/permissions');
  const verb = { POST: 'create', GET: isList ? 'list' : 'get', PATCH: 'update', DELETE: 'delete' }[method] ?? 'unknown';
  return `drive.${match[1] ? 'permissions' : 'files'}.${verb}`;
}

function splitOperation(operation: string): [string, string?] {
  const dot = operation.indexOf('.');
  return dot < 0 ? [operation] : [operation.slice(0, dot), operation.slice(dot + 1)];
}
