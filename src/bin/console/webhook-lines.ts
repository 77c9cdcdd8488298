import { oneLine } from '../../console/table.ts';
import type { ReceivedWebhook } from './webhook-receiver.ts';
import type { paint as Paint } from './print.ts';

/** A webhook as it is shown: one line, or a line of JSON; with its body where that is asked for. */
export function webhookLines(webhook: ReceivedWebhook, shown: { json: boolean; body: boolean; paint: typeof Paint }): string[] {
  const { at, id, isSigned, status, trouble, body } = webhook;
  const event = parsed(body);
  const type = typeOf(event);
  if (shown.json) return [JSON.stringify({ at, id, type, isSigned: isSigned ?? null, status, ...(trouble && { trouble }), ...(shown.body ? { body: event ?? body } : {}) })];
  const line = [at.toISOString(), oneLine(id || 'no webhook-id').padEnd(30), oneLine(type ?? 'no event').padEnd(18), checkText(isSigned, shown.paint), `→ ${status}${trouble ? ` ${oneLine(trouble)}` : ''}`].join('  ');
  const lines = event === undefined ? body.split('\n') : JSON.stringify(event, null, 2).split('\n');
  return shown.body ? [line, ...lines.map((one) => `  ${indentationOf(one)}${oneLine(one.trim())}`)] : [line];
}

const indentationOf = (text: string): string => ' '.repeat(text.length - text.trimStart().length);

function checkText(isSigned: boolean | undefined, paint: typeof Paint): string {
  if (isSigned === undefined) return 'not checked';
  return isSigned ? paint('green', 'signed') : paint('red', 'NOT SIGNED by this secret');
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

const typeOf = (event: unknown): string | undefined =>
  typeof event === 'object' && event !== null && 'type' in event && typeof event.type === 'string' ? event.type : undefined;
