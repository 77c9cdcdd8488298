import { Gauge, type Registry } from 'prom-client';

export interface GaugeOptions {
  name: string;
  help: string;
  labelNames?: string[];
}

/** Registers a gauge that is read anew each time somebody asks: the series of what is gone are gone too. */
export function registerGauge(registry: Registry, options: GaugeOptions, read: (gauge: Gauge) => void | Promise<void>): void {
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
