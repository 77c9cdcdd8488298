import type { Reply } from '../simulators/server.ts';
import { messageResource, type SimulatedMessage } from './message.ts';

/**
 * Answers a list: newest first, by To, From and DateSent, in pages. A message that has not been sent yet has no date, so
 * no filter by date finds it.
 */
export function listMessages(messages: readonly SimulatedMessage[], { path, query }: { path: string; query: URLSearchParams }): Reply {
  const pageSize = Math.min(Number(query.get('PageSize') ?? 50), 1000);
  const page = Number(query.get('Page') ?? 0);
  const found = messages.filter((message) => isFound(message, query)).toReversed();
  const start = page * pageSize;
  const shown = found.slice(start, start + pageSize);
  const uriOf = (number: number): string => {
    const next = new URLSearchParams(query);
    next.set('PageSize', String(pageSize));
    next.set('Page', String(number));
    return `${path}?${next}`;
  };
  const body = {
    messages: shown.map(messageResource),
    page,
    page_size: pageSize,
    start,
    end: start + Math.max(shown.length - 1, 0),
    uri: `${path}?${query}`,
    first_page_uri: uriOf(0),
    previous_page_uri: page > 0 ? uriOf(page - 1) : null,
    next_page_uri: start + pageSize < found.length ? uriOf(page + 1) : null,
  };
  return { status: 200, body };
}

function isFound({ to, from, sentAt }: SimulatedMessage, query: URLSearchParams): boolean {
  if (query.has('To') && query.get('To') !== to) return false;
  if (query.has('From') && query.get('From') !== from) return false;
  const [on, before, after] = ['DateSent', 'DateSent<', 'DateSent>'].map((name) => query.get(name));
  if (!on && !before && !after) return true;
  if (sentAt === undefined) return false;
  if (on && sentAt.toISOString().slice(0, 10) !== on.slice(0, 10)) return false;
  if (before && sentAt > new Date(before)) return false;
  return !after || sentAt >= new Date(after);
}
