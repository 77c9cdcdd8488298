import type { Figure } from './table.ts';

/** How long and how often things are measured. */
export interface Extent {
  rounds: number;
  /** Of a rate, in one round. */
  forMs: number;
  warmUpMs: number;
  /** Deliveries in one round. */
  backlog: number;
  /** Of the open loop that latency is measured under, in one round. */
  latencyMs: number;
}

export interface MeasurementOptions {
  extent: Extent;
  /** Where CPU profiles of the Formwire process are left. */
  profileDir: string | undefined;
  /** What is started goes in here, and ends with it, also when the bench is interrupted. */
  stack: AsyncDisposableStack;
}

export type Measurement = (options: MeasurementOptions) => Promise<Figure[]>;
