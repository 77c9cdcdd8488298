import { ROOT_CONTEXT, SpanKind, trace, TraceFlags, type Attributes, type Context, type Span, type SpanContext } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { parseTraceParent } from '@opentelemetry/core';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, RandomIdGenerator, TracerProvider, type IdGenerator, type SpanExporter } from '@opentelemetry/sdk-trace';
import manifest from '../../package.json' with { type: 'json' };
import { createSampler } from './sampler.ts';

export interface SpanFacts {
  name: string;
  kind: SpanKind;
  attributes: Attributes;
  /** `traceparent` of what it is part of. */
  parent?: string | undefined;
  /** The trace that it begins or goes on with, without being part of any span there. */
  traceId?: string | undefined;
}

/** Makes spans by hand, in contexts that are handed on: nothing is instrumented, and nothing is global. */
export interface Tracer {
  start(facts: SpanFacts): Span;
  /** Runs a function, and whatever it begins, within a span. */
  within<T>(span: Span, run: () => T): T;
  /** The span that this code runs within, as a `traceparent`; undefined where there is none, or it is not sampled. */
  current(): string | undefined;
  close(): Promise<void>;
}

/** Spans that wait to be sent, and those of one request: what comes beyond them is dropped. */
const bounds = { maxQueueSize: 4_096, maxExportBatchSize: 512, scheduledDelayMillis: 2_000, exportTimeoutMillis: 10_000 };
const spanLimits = { attributeValueLengthLimit: 256, attributeCountLimit: 32, linkCountLimit: 8, eventCountLimit: 8 };

export function createTracer({ exporter, share, roles }: { exporter: SpanExporter; share: number; roles: readonly string[] }): Tracer {
  const ids = createIdGenerator();
  const contexts = new AsyncLocalStorageContextManager();
  contexts.enable();
  const provider = new TracerProvider({
    resource: resourceFromAttributes({ 'service.name': 'formwire', 'service.version': manifest.version, 'formwire.roles': [...roles] }),
    sampler: createSampler(share),
    idGenerator: ids,
    spanLimits,
    spanProcessors: [new BatchSpanProcessor({ exporter, ...bounds })],
  });
  const tracer = provider.getTracer('formwire', manifest.version);
  return {
    start: ({ name, kind, attributes, parent, traceId }) => {
      const context = parent === undefined ? contexts.active() : contextOf(parent);
      return ids.using(traceId, () => tracer.startSpan(name, { kind, attributes, root: traceId !== undefined }, context));
    },
    within: (span, run) => contexts.with(trace.setSpan(contexts.active(), span), run),
    current: () => {
      const span = trace.getSpan(contexts.active());
      return span && traceparentOf(span);
    },
    close: async () => {
      await provider.shutdown();
      contexts.disable();
    },
  };
}

/** Source: W3C Trace Context, 3.2. What is not sampled is told to nobody. */
export function traceparentOf(span: Span): string | undefined {
  const { traceId, spanId, traceFlags } = span.spanContext();
  return (traceFlags & TraceFlags.SAMPLED) === 0 ? undefined : `00-${traceId}-${spanId}-01`;
}

/** What is none, or of another version, is no parent. */
export function contextOf(traceparent: string): Context {
  const parent: SpanContext | null = parseTraceParent(traceparent);
  return parent ? trace.setSpanContext(ROOT_CONTEXT, { ...parent, isRemote: true }) : ROOT_CONTEXT;
}

/** Random ids, but for the trace that a span is made in. */
function createIdGenerator(): IdGenerator & { using<T>(traceId: string | undefined, start: () => T): T } {
  const random = new RandomIdGenerator();
  let next: string | undefined;
  return {
    generateTraceId: () => next ?? random.generateTraceId(),
    generateSpanId: () => random.generateSpanId(),
    using: (traceId, start) => {
      next = traceId;
      try {
        return start();
      } finally {
        next = undefined;
      }
    },
  };
}
