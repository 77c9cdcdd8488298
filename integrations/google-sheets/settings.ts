import { createPrivateKey } from 'node:crypto';
import { z } from 'zod';

/** What of a service account's key file is used. Source: Google Cloud, "Create and delete service account keys". */
const keyFile = z.object({
  type: z.literal('service_account'),
  project_id: z.string().min(1),
  client_email: z.string().regex(/^[^@\s]+@[^@\s]+$/),
  private_key: z.string().refine(isPrivateKey),
  private_key_id: z.string().optional(),
});

/** A service account's key file as an owner pastes it; undefined where it is none. */
export function parseKeyFile(text: string): z.output<typeof keyFile> | undefined {
  try {
    return keyFile.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

function isPrivateKey(pem: string): boolean {
  try {
    return createPrivateKey(pem).asymmetricKeyType === 'rsa';
  } catch {
    return false;
  }
}

const secret = (name: string, most: number) => z.string().min(1, `${name} is missing.`).max(most, `${name} has at most ${most} characters.`).meta({ secret: true });

const serviceAccount = z
  .object({
    key: secret('The key', 10_000)
      .refine((text) => parseKeyFile(text) !== undefined, 'This is not the JSON key file of a service account: it has the members type, project_id, client_email and private_key.')
      .describe('All of the JSON key file that the Google Cloud console made for the service account.'),
  })
  .meta({ id: 'GoogleServiceAccount' });

const oauth = z
  .object({
    clientId: z.string().min(1, 'The client id is missing.').max(200, 'A client id has at most 200 characters.').describe('Of an OAuth client of yours: `….apps.googleusercontent.com`.'),
    clientSecret: secret('The client secret', 200).describe('Of the same client.'),
    refreshToken: secret('The refresh token', 2_000).describe('What the owner of the spreadsheets granted the client; the scope `drive.file` is enough.'),
  })
  .meta({ id: 'GoogleOAuth' });

/** How a form’s responses get into a Google spreadsheet, and whose it is. */
export const googleSheetsSettings = z
  .object({
    serviceAccount: serviceAccount.optional().describe('A service account, which needs a shared drive to keep spreadsheets in. Either this or `oauth`.'),
    oauth: oauth.optional().describe('The access that a person granted. Either this or `serviceAccount`.'),
    folderId: z
      .string()
      .regex(/^[A-Za-z0-9_-]{10,100}$/, 'The id of a folder or a shared drive is what stands last in its address: letters, digits, - and _.')
      .optional()
      .describe('Where the spreadsheet is made: a shared drive, or a folder. Without it, in the person’s own drive.'),
    title: z.string().trim().min(1, 'The title is empty.').max(200, 'A title has at most 200 characters.').optional().describe('Of the spreadsheet; the form’s where there is none.'),
    shareWith: z
      .string()
      .max(254, 'An e-mail address has at most 254 characters.')
      .regex(/^[^@\s]+@[^@\s]+\.[^@\s]+$/, 'This is not an e-mail address.')
      .optional()
      .describe('Whom it is shared with; the form’s e-mail address where it is not said.'),
    removedQuestions: z
      .enum(['keep', 'delete'])
      .default('keep')
      .describe('What becomes of the column of a question that is removed: it stays, marked, or goes with all that is in it.'),
  })
  .refine(({ serviceAccount, oauth }) => (serviceAccount === undefined) !== (oauth === undefined), {
    message: 'Give either a service account or the OAuth access of a person.',
    path: ['serviceAccount'],
  })
  .refine(({ serviceAccount, folderId }) => serviceAccount === undefined || folderId !== undefined, {
    message: 'A service account has no storage of its own: give the id of a shared drive, or of a folder in one, that it may write to.',
    path: ['folderId'],
  });

export type GoogleSheetsSettings = z.output<typeof googleSheetsSettings>;
