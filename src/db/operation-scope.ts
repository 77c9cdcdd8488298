import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool, PoolClient } from 'pg';
import { requestCancel } from './cancel-request.ts';

/** The connections that one operation has borrowed, so that its end can end what runs on them. */
export interface OperationScope {
  /** Runs a function, and whatever it begins, within the scope. */
  run<T>(operation: () => T): T;
  /**
   * The operation is over: statements under way are cancelled in the server, further ones are refused. Whoever borrowed
   * a connection gives it back as always; until then each statement on it is cancelled. Resolves when all are back, or
   * after half a minute: then the server cannot be reached, and the connections break by themselves.
   */
  end(): Promise<void>;
}

/** What a statement fails with whose operation was over before it began. */
export class OperationOverError extends Error {
  override name = 'OperationOverError';

  constructor() {
    super('The operation is over.');
  }
}

const againMs = 100;
const giveUpMs = 30_000;
const scopes = new AsyncLocalStorage<Scope>();

export const createOperationScope = (): OperationScope => new Scope();

class Scope implements OperationScope {
  isOver = false;
  readonly #lent = new Set<PoolClient>();
  readonly #canceling = new Map<PoolClient, Promise<void>>();

  run<T>(operation: () => T): T {
    return scopes.run(this, operation);
  }

  async end(): Promise<void> {
    this.isOver = true;
    await Promise.all([...this.#lent].map((client) => this.#cancelUntilBack(client)));
  }

  /** Between two statements of a transaction there is nothing to cancel: the next one is met a moment later. */
  async #cancelUntilBack(client: PoolClient): Promise<void> {
    for (const giveUpAt = performance.now() + giveUpMs; this.#lent.has(client) && performance.now() < giveUpAt; ) {
      const canceling = requestCancel(client);
      this.#canceling.set(client, canceling);
      await canceling;
      this.#canceling.delete(client);
      if (this.#lent.has(client)) await sleep(againMs);
    }
  }

  /** Notes a connection until it is given back: not before a cancel has passed, which could hit the next borrower. */
  lend(client: PoolClient): void {
    const release = client.release.bind(client);
    this.#lent.add(client);
    client.release = (why) => {
      this.#lent.delete(client);
      const canceling = this.#canceling.get(client);
      if (canceling) void canceling.then(() => release(why));
      else release(why);
    };
  }
}

type Borrower = (error: Error | undefined, client: PoolClient | undefined, done: (release?: unknown) => void) => void;
type Connect = (borrower: Borrower) => void;

/**
 * The same pool for statements that end with their operation: what is borrowed through it within a scope is cancelled
 * with it. Outside of one, and through the pool itself, nothing is: what several operations share must not end with one.
 */
export function endingWithOperation(pool: Pool): Pool {
  const own = Object.create(pool) as Pool;
  makeEndWithOperation(own, pool.connect.bind(pool));
  return own;
}

/** Makes a pool itself end its statements with their operation. */
export function makeEndWithOperation(pool: Pool, connect: Pool['connect'] = pool.connect.bind(pool)): void {
  const connectFor = (scope: Scope, borrower: Borrower): void => {
    if (scope.isOver) return process.nextTick(borrower, new OperationOverError(), undefined, () => {});
    (connect as Connect)((error, client, done) => {
      if (error || !client) return borrower(error, client, done);
      if (scope.isOver) {
        client.release();
        return borrower(new OperationOverError(), undefined, () => {});
      }
      scope.lend(client);
      borrower(undefined, client, (release) => client.release(release as Error | undefined));
    });
  };

  const connectWithin = (borrower?: Borrower): Promise<PoolClient> | void => {
    const scope = scopes.getStore();
    if (!scope) return borrower ? (connect as Connect)(borrower) : connect();
    if (borrower) return connectFor(scope, borrower);
    return new Promise((resolve, reject) => {
      connectFor(scope, (error, client) => (client ? resolve(client) : reject(error ?? new OperationOverError())));
    });
  };
  pool.connect = connectWithin as Pool['connect'];
}
