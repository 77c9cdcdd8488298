/** Why PostgreSQL did not let us in, in a sentence without credentials. */
export function whyNotConnected(error: unknown): string {
  // a name with several addresses has one error for each, and no message of its own
  const first: unknown = error instanceof AggregateError ? error.errors[0] : error;
  if (!(first instanceof Error)) return String(first);
  const refusedLogin = 'code' in first && String(first.code).startsWith('28');
  return refusedLogin ? 'it refuses the user or the password.' : first.message;
}
