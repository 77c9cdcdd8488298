import type { Flag } from '../events/flag.ts';
import type { Fault } from '../user-error.ts';
import type { IntegrationFinding } from '../integrations/response-checks.ts';

/** What becomes of a response by what its checks have found: flags to keep (null: none), and why it is refused. */
export interface Judged {
  flags: Flag[] | null;
  faults: Fault[];
}

/** Characters of all messages of one response; after that a flag names its rule and no more, so that the response still fits into an event. */
const maxMessages = 32_000;

/**
 * Findings that refuse are faults, at the answer that was sent to one of their questions, or else at all answers;
 * those that flag are kept with the response. `placeOf`: where in the input a question was answered.
 */
export function judgeFindings(findings: readonly IntegrationFinding[], placeOf: (key: string) => number | undefined): Judged {
  const faults: Fault[] = [];
  const flags: Flag[] = [];
  let spent = 0;
  for (const { severity, rule, message, keys, integrationId } of findings) {
    const text = storable(message);
    if (severity === 'refuse') {
      faults.push({ code: 'RULE_BROKEN', message: text, path: pathOf(keys, placeOf) });
      continue;
    }
    spent += text.length;
    flags.push({ rule, message: spent <= maxMessages ? text : `The rule "${rule}" does not hold.`, keys: [...keys], integrationId });
  }
  return { flags: flags.length > 0 ? flags : null, faults };
}

/** What a message makes of answers may be what no text can be stored with, however sound the answers are. */
const storable = (message: string): string => message.replaceAll('\u0000', '').toWellFormed();

function pathOf(keys: readonly string[], placeOf: (key: string) => number | undefined): (string | number)[] {
  const places = keys.flatMap((key) => placeOf(key) ?? []);
  return places.length > 0 ? ['answers', Math.min(...places)] : ['answers'];
}
