import type { IncomingMessage } from 'node:http';

/** The path a request asks for, without its query. */
export const pathOf = ({ url = '/' }: Pick<IncomingMessage, 'url'>): string => {
  const cut = url.indexOf('?');
  return cut === -1 ? url : url.slice(0, cut);
};
