import { clientIdMark } from './survey.ts';

/** Requests ready to be written to a socket; made before anything is measured, and told apart by their client ids. */
export interface Requests {
  next(): Buffer;
}

interface Template {
  bytes: Buffer;
  /** Where client ids stand. */
  marks: number[];
}

/** Takes the bodies in turn, for ever. */
export function createRequests(url: string, bodies: readonly string[]): Requests {
  const templates = bodies.map((body) => template(new URL(url), body));
  const run = Date.now().toString(36).padStart(8, '0').slice(-8);
  let sent = 0;
  let ids = 0;
  return {
    next: () => {
      const { bytes, marks } = templates[sent++ % templates.length] ?? { bytes: Buffer.alloc(0), marks: [] };
      const request = Buffer.from(bytes);
      for (const mark of marks) request.write(run + (ids++).toString(36).padStart(8, '0'), mark, clientIdMark.length, 'latin1');
      return request;
    },
  };
}

function template({ host, pathname }: URL, body: string): Template {
  const head = `POST ${pathname} HTTP/1.1\r\nhost: ${host}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n`;
  const bytes = Buffer.from(head + body);
  const marks: number[] = [];
  for (let mark = bytes.indexOf(clientIdMark); mark !== -1; mark = bytes.indexOf(clientIdMark, mark + 1)) marks.push(mark);
  return { bytes, marks };
}
