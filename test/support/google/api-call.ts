import type { Account } from './accounts.ts';
import { googleErrors } from './errors.ts';
import { parseFieldMask, type FieldMask } from './field-mask.ts';

/** A call of Drive or Sheets by someone who is known. */
export interface ApiCall {
  method: string;
  /** Below the API's root, without a slash at its start. */
  path: string;
  query: URLSearchParams;
  body: unknown;
  account: Account;
  /** May use the files its own project made, and no others: the scope `drive.file`. */
  isOwnFilesOnly: boolean;
}

/** What the caller wants to see of the answer. */
export function maskOf({ query }: ApiCall, byDefault: string | null): FieldMask {
  const mask = parseFieldMask(query.get('fields') ?? byDefault);
  if (mask === undefined) throw googleErrors.invalidValue('fields');
  return mask;
}
