import type { EntityManager } from '@mikro-orm/postgresql';
import type DataLoader from 'dataloader';
import { GraphQLError } from 'graphql';
import type { Viewer } from './viewer.ts';

/**
 * What resolvers call. Features add themselves by declaration merging, so that the kit imports none of them:
 * `declare module '../graphql/context.ts' { interface Services { forms: FormsService } }`.
 */
// oxlint-disable-next-line typescript/no-empty-object-type -- filled by the features
export interface Services {}

/** What a service needs to know of a call: who asks, and a unit of work. */
export interface Caller {
  /** Undefined: nobody logged in. */
  readonly viewer: Viewer | undefined;
  /** Where the call comes from: an IP address. */
  readonly address: string;
  /**
   * A fork of its own for each request, made at its first use: a call that needs none pays nothing. Outside of a
   * transaction it finds only what is the viewer's organisation's, whatever it is asked for; see `unrestricted`.
   */
  readonly em: EntityManager;
}

/** What every resolver gets; lives as long as one operation. */
export interface Context extends Caller {
  readonly services: Services;
  /** The loaders of this operation; use them through `createLoader`. */
  readonly loaders: Map<object, DataLoader<unknown, unknown>>;
  /** Forgets what was loaded, so that the next mutation of the same operation reads anew. */
  renew(): void;
  /** From here on the operation speaks for this viewer, so that whoever just logged in sees themselves in the answer. */
  logIn(viewer: Viewer): void;
  /** Must not wait or throw. */
  noteChange(change: ChangeMade): void;
}

export interface ContextSources {
  viewer: Viewer | undefined;
  address: string;
  services: Services;
  forkEntityManager: () => EntityManager;
  onChange: (change: ChangeMade) => void;
}

/** A mutation that somebody who is signed in has had done, for the log. */
export interface ChangeMade {
  mutation: string;
  viewer: Viewer;
  /** Of what it was done to, some of them where these are many. */
  ids: string[];
}

/** Makes the context of one operation. */
export const createContext = (sources: ContextSources): Context => new OperationContext(sources);

class OperationContext implements Context {
  viewer: Viewer | undefined;
  readonly address: string;
  readonly services: Services;
  readonly noteChange: (change: ChangeMade) => void;
  readonly #fork: () => EntityManager;
  #em: EntityManager | undefined;
  #loaders: Map<object, DataLoader<unknown, unknown>> | undefined;

  constructor(sources: ContextSources) {
    this.viewer = sources.viewer;
    this.address = sources.address;
    this.services = sources.services;
    this.noteChange = sources.onChange;
    this.#fork = sources.forkEntityManager;
  }

  get em(): EntityManager {
    this.#em ??= this.#fork();
    return this.#em;
  }

  get loaders(): Map<object, DataLoader<unknown, unknown>> {
    this.#loaders ??= new Map();
    return this.#loaders;
  }

  renew(): void {
    this.#em = undefined;
    this.#loaders = undefined;
  }

  logIn(viewer: Viewer): void {
    this.viewer = viewer;
    this.renew();
  }
}

/** The viewer, where a call needs one. Throws a GraphQL error with the code UNAUTHENTICATED where nobody is logged in. */
export function requireViewer(caller: Pick<Caller, 'viewer'>): Viewer {
  if (caller.viewer) return caller.viewer;
  throw new GraphQLError('Log in first, and send the token as "Authorization: Bearer <token>".', {
    extensions: { code: 'UNAUTHENTICATED' },
  });
}
