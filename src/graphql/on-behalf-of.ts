import { AsyncLocalStorage } from 'node:async_hooks';
import type { Caller } from './context.ts';
import type { Viewer } from './viewer.ts';

const callers = new AsyncLocalStorage<Pick<Caller, 'viewer'>>();

/** Runs an operation, and whatever it begins, so that what it reads of tenants it reads as its viewer. */
export const onBehalfOf = <T>(caller: Pick<Caller, 'viewer'>, operation: () => T): T => callers.run(caller, operation);

/** The viewer of the operation that asks, as it is now: an operation may log in. Undefined: nobody, or no operation. */
export const viewerOfOperation = (): Viewer | undefined => callers.getStore()?.viewer;
