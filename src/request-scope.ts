import { AsyncLocalStorage } from 'node:async_hooks';
import type { Id } from './events/id.ts';

const scopes = new AsyncLocalStorage<Id<'req'>>();

/** Runs what belongs to a request, and whatever it begins. */
export const withinRequest = <T>(id: Id<'req'>, run: () => T): T => scopes.run(id, run);

/** The request that this code runs for, to be logged with what happened in it; undefined outside of any. */
export const requestId = (): Id<'req'> | undefined => scopes.getStore();
