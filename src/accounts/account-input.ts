import { parsePhoneNumberFromString } from 'libphonenumber-js';
import { isEmailAddress } from '../email-address.ts';
import { whyTextUnstorable } from '../storable.ts';
import { UserError, type Fault } from '../user-error.ts';

export interface RegisterInput {
  username: string;
  email: string;
  password: string;
  mobile?: string | null | undefined;
  organization?: string | null | undefined;
  /** Token of an invitation: joins its organisation instead of making one. */
  invitation?: string | null | undefined;
}

/** An account as it is stored, but for its password, and what it works in: an organisation of its own, or one that it joins. */
export interface AccountDraft {
  username: string;
  email: string;
  mobile: string | null;
  place: { organization: string } | { invitation: string };
}

export interface LoginInput {
  username?: string | null | undefined;
  email?: string | null | undefined;
  password: string;
}

const usernamePattern = /^[a-z0-9._-]{3,64}$/;
const passwordLength = { min: 8, max: 200 };
const passwordRule = `A password has ${passwordLength.min} to ${passwordLength.max} characters.`;
const maxOrganizationLength = 200;
const maxMobileLength = 50;

/** What a registration is to store. Throws UserError with every fault at once. */
export function readRegistration(input: RegisterInput): AccountDraft {
  const faults: Fault[] = [];
  const refuse = (field: keyof RegisterInput, message: string): void => {
    faults.push({ code: 'INVALID_INPUT', message, path: [field] });
  };

  const username = input.username.toLowerCase();
  const email = input.email.toLowerCase();
  const mobile = input.mobile ? e164(input.mobile) : null;
  const { invitation } = input;
  const organization = input.organization ?? username;

  if (!usernamePattern.test(username)) refuse('username', 'A username has 3 to 64 letters a–z, digits, dots, dashes and underscores.');
  if (!isEmailAddress(email) || !email.isWellFormed()) refuse('email', 'This is no e-mail address.');
  if (!isPasswordLongEnough(input.password)) refuse('password', passwordRule);
  if (mobile === undefined) refuse('mobile', 'Write the mobile number with + and its country, for example +14155550100.');
  if (!isName(organization)) refuse('organization', `An organisation has a name of 1 to ${maxOrganizationLength} characters.`);
  if (invitation && input.organization) refuse('organization', 'An invitation leads to an organisation that has its name already.');
  if (faults.length > 0) throw new UserError(faults);
  return { username, email, mobile: mobile ?? null, place: invitation ? { invitation } : { organization } };
}

/** A new password. Throws UserError. */
export function readPassword(password: string, path: readonly string[]): string {
  if (isPasswordLongEnough(password)) return password;
  throw new UserError('INVALID_INPUT', passwordRule, path);
}

/** By what a login looks for the account: exactly one of the two names. */
export function readLogin(input: LoginInput): { username: string } | { email: string } {
  const { username, email } = input;
  if (typeof username === 'string' && typeof email === 'string') {
    throw new UserError('INVALID_INPUT', 'Give either username or email, not both.', ['email']);
  }
  const name = (username ?? email)?.toLowerCase();
  if (name === undefined || whyTextUnstorable(name) !== undefined) {
    throw new UserError('INVALID_INPUT', 'Give a username or an e-mail address.', ['username']);
  }
  return name.includes('@') || username === null || username === undefined ? { email: name } : { username: name };
}

/** A number that is possible in its country, in E.164. Whether it is assigned changes too often to be asked. */
function e164(text: string): string | undefined {
  if (text.length > maxMobileLength) return undefined;
  const number = parsePhoneNumberFromString(text, { extract: false });
  return number?.isPossible() && number.ext === undefined ? number.number : undefined;
}

const isPasswordLongEnough = ({ length }: string): boolean => length >= passwordLength.min && length <= passwordLength.max;

const isName = (text: string): boolean =>
  text.trim() !== '' && text.length <= maxOrganizationLength && whyTextUnstorable(text) === undefined;
