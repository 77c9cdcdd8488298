import { Counter, Gauge, type Registry } from 'prom-client';

export interface MetricOptions {
  name: string;
  help: string;
  labelNames?: string[];
}

/** Registers a gauge that is read anew each time somebody asks: the series of what is gone are gone too. */
export function registerGauge(registry: Registry, options: MetricOptions, read: (gauge: Gauge) => void | Promise<void>): void {
  registry.registerMetric(
    new Gauge({
      registers: [],
      ...options,
      async collect() {
        this.reset();
        await read(this);
      },
    }),
  );
}

/** Registers a counter of what is counted elsewhere, read when somebody asks. */
export function registerCounter(registry: Registry, options: MetricOptions, read: (counter: Counter) => void): void {
  registry.registerMetric(
    new Counter({
      registers: [],
      ...options,
      collect() {
        this.reset();
        read(this);
      },
    }),
  );
}
