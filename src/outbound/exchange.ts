import type { Dispatcher } from 'undici';
import type { HttpPost, HttpReply } from '../../integrations/provider.ts';
import { failure, failureOf, type HttpFailure } from './failure-of.ts';
import { replyText } from './reply-text.ts';

type Headers = Extract<HttpReply, { kind: 'response' }>['headers'];

export interface ExchangeOptions {
  request: HttpPost;
  /** For messages: the URL's host and port. */
  host: string;
  /** Sends the request, with this exchange as the handler. Called again for the one retry. */
  dispatch: (exchange: Exchange) => void;
  /** Whether a connection that is lost before the reply begins is made once more. */
  repeats: boolean;
  maxReplyTextBytes: number;
  maxResponseBytes: number;
  onReply: (reply: HttpReply) => void;
  onFault: (fault: unknown) => void;
}

/**
 * One request and its reply, over both tries, as undici's handler: settles exactly once, and leaves no timer, listener or
 * half-read socket behind. A handler of our own instead of undici's `request`, because that makes a stream for each
 * reply, and it cannot give up on a request that still waits for a connection.
 */
export class Exchange implements Dispatcher.DispatchHandler {
  readonly #options: ExchangeOptions;
  readonly #timer: NodeJS.Timeout;
  readonly #onAbort = (): void => this.#giveUp(abortFailure(this.#options));
  #controller: Dispatcher.DispatchController | undefined;
  #isSettled = false;
  #isRetried = false;
  /** From here on the receiver may have it: undici says so right before it writes. */
  #isSent = false;
  /** From the reply's first byte on the receiver is known to have the request. */
  #hasReplyBegun = false;
  #status = 0;
  #headers: Headers = {};
  #chunks: Uint8Array[] = [];
  #bodyBytes = 0;

  constructor(options: ExchangeOptions) {
    this.#options = options;
    const { timeoutMs, signal } = options.request;
    this.#timer = setTimeout(() => this.#giveUp(this.#timeoutFailure()), timeoutMs);
    signal.addEventListener('abort', this.#onAbort);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#isSettled) controller.abort(new Error('given up while waiting for a connection'));
    else this.#isSent = true;
  }

  onResponseStarted(): void {
    this.#hasReplyBegun = true;
  }

  onResponseStart(_: Dispatcher.DispatchController, status: number, headers: Headers): void {
    if (status < 200) return;
    this.#status = status;
    this.#headers = headers;
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    const { maxReplyTextBytes, maxResponseBytes } = this.#options;
    if (this.#bodyBytes < maxReplyTextBytes) this.#chunks.push(chunk);
    this.#bodyBytes += chunk.length;
    // A little more is read, so that the socket can be used again; beyond that a new socket costs less.
    if (this.#bodyBytes <= maxResponseBytes) return;
    this.#settleWith(this.#response());
    controller.abort(new Error('enough of the reply was read'));
  }

  /**
   * undici frees the socket in an immediate of its own, which it sets after this returns. Telling the caller behind it
   * lets the next post take that socket; at once, each caller would open a second one.
   */
  onResponseEnd(): void {
    this.#settle(() => queueMicrotask(() => setImmediate(this.#options.onReply, this.#response())));
  }

  onResponseError(_: Dispatcher.DispatchController | null, error: Error): void {
    if (this.#isSettled) return;
    const failed = failureOf(error, this.#options.host);
    if (failed === undefined) this.#settle(() => this.#options.onFault(error));
    else if (this.#mayRetry(failed, error)) this.#retry();
    else this.#settleWith(failed);
  }

  /** A lost connection says little about the receiver; a name that does not exist is an answer, and stays the same. */
  #mayRetry(failed: HttpFailure, error: Error): boolean {
    const isAnswer = 'code' in error && error.code === 'ENOTFOUND';
    return this.#options.repeats && failed.error === 'CONNECTION' && !isAnswer && !this.#isRetried && !this.#hasReplyBegun;
  }

  #retry(): void {
    this.#isRetried = true;
    this.#controller = undefined;
    // After the next poll: other sockets that the same restart of the receiver closed are known to be closed then.
    setImmediate(() => {
      if (!this.#isSettled) this.#options.dispatch(this);
    });
  }

  #giveUp(failed: HttpFailure): void {
    this.#settleWith(failed);
    this.#controller?.abort(new Error(failed.message));
  }

  #timeoutFailure(): HttpFailure {
    const { host, request } = this.#options;
    const limit = `within ${request.timeoutMs / 1000} s`;
    return failure(
      'TIMEOUT',
      this.#status === 0
        ? `${host} did not answer ${limit}.`
        : `${host} answered ${this.#status}, but its reply did not end ${limit}.`,
    );
  }

  #response(): HttpReply {
    const body = replyText(this.#chunks, this.#headers, this.#options.maxReplyTextBytes);
    return { kind: 'response', status: this.#status, headers: this.#headers, body };
  }

  #settleWith(reply: HttpReply): void {
    const told = reply.kind === 'failure' ? { ...reply, isSent: this.#isSent } : reply;
    this.#settle(() => this.#options.onReply(told));
  }

  #settle(tell: () => void): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    clearTimeout(this.#timer);
    this.#options.request.signal.removeEventListener('abort', this.#onAbort);
    tell();
  }
}

/** A signal that aborts by its own time limit is a timeout too; whoever made it knows the limit. */
export function abortFailure({ request, host }: Pick<ExchangeOptions, 'request' | 'host'>): HttpFailure {
  const reason: unknown = request.signal.reason;
  return reason instanceof Error && reason.name === 'TimeoutError'
    ? failure('TIMEOUT', `${host} did not answer in time.`)
    : failure('ABORTED', 'The attempt was interrupted by this server.');
}
