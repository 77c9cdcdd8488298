import type { CallContext, Provider } from '../../integrations/provider.ts';
import type { Event } from '../../src/events/event.ts';
import type { ManualClock } from '../support/simulators/clock.ts';

/** What the contract must be told about a provider. */
export interface Subject<Settings> {
  provider: Provider<Settings>;
  /** Starts a local server that speaks for the outside service. */
  start(clock: ManualClock): Promise<Service<Settings>>;
}

/** What it must be told about one that only checks responses and never leaves the process. */
export interface CheckingSubject<Settings> {
  provider: Provider<Settings>;
  /** Settings that fit `sampleForm`. */
  settings: Settings;
}

/** How a service treats the calls that come in; `applied`: they took effect all the same. */
export type Manner =
  | { kind: 'accepts' }
  /** Says that it will not take this, however often it is sent. */
  | { kind: 'refuses' }
  /** Answers that something is wrong with itself: a 5xx. */
  | { kind: 'fails'; applied: boolean }
  /** `seconds`: for how long, where it says so. */
  | { kind: 'throttles'; seconds?: number }
  /** Never answers. */
  | { kind: 'hangs'; applied: boolean }
  /** Answers a byte now and then, without an end. */
  | { kind: 'drips' }
  /** Resets the connection. */
  | { kind: 'drops'; applied: boolean }
  /** Answers something that makes no sense. */
  | { kind: 'babbles'; applied: boolean };

/** An outside service on loopback: told how to behave, asked what it got. The same words for all of them. */
export interface Service<Settings> extends AsyncDisposable {
  /** Settings that lead a provider to it. */
  settings: Settings;
  /** Texts that must be secret members of the settings, and that nothing may show. */
  secrets: readonly string[];
  /** Other texts that nothing may show. */
  confidential?: readonly string[];
  /** What a call needs to get there: where the service stands, the signing keys. */
  context: Partial<CallContext<Settings>>;
  /** From the next request on. */
  behave(manner: Manner): void;
  /** Has the service refuse this event alone, for good. Absent where it cannot tell. */
  refuse?(event: Event): void;
  /** How often the service has what this event is to do there: 0, 1, or once too often. */
  effectsOf(event: Event): number;
  /** How many requests came in, about what is delivered or made there. */
  requestCount(): number;
  /** Refuses connections from now on. */
  end(): Promise<void>;
  /** What happens there between two attempts: messages go on their way. */
  pass?(): Promise<void>;
  /** How many things there are that `connect` made, for providers that have one. */
  madeCount?(): number;
}
