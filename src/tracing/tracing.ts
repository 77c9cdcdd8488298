import { SpanKind, SpanStatusCode, TraceFlags, type Attributes, type Span } from '@opentelemetry/api';
import { setGlobalErrorHandler } from '@opentelemetry/core';
import type { TraceRequest } from '../api/server.ts';
import type { FollowAttempt } from '../dispatcher/attempt.ts';
import type { Work } from '../dispatcher/work.ts';
import type { Event } from '../events/event.ts';
import type { Log } from '../log.ts';
import type { Incoming } from '../stream/message.ts';
import type { PublishEvent } from '../stream/publish.ts';
import { createExporter } from './exporter.ts';
import { spanIdOf, traceIdOf } from './trace-id.ts';
import { createTracer, traceparentOf, type Tracer } from './tracer.ts';

/** What makes one trace of a response's way: from the mutation through commit, stream and lane to the receiver. */
export interface Tracing {
  request: TraceRequest;
  /** Follows a response until it is committed. */
  commit<T>(run: () => Promise<T>): Promise<T>;
  /** Events with the trace of the request that has committed them. */
  stamped(events: readonly Event[]): readonly Event[];
  publishing(publish: PublishEvent): PublishEvent;
  /** Follows an event from the stream until it is acked. */
  incoming(incoming: Incoming): Incoming;
  attempt: FollowAttempt;
  /** Sends what is left, for some seconds at most. */
  close(): Promise<void>;
}

const closeMs = 3_000;

/** `share`: of the traces, which part is sent. */
export function openTracing(options: { endpoint: string; share: number; roles: readonly string[]; log: Log }): Tracing {
  const { endpoint, share, roles, log } = options;
  setGlobalErrorHandler(() => undefined); // what it would say, the exporter does
  return createTracing(createTracer({ exporter: createExporter({ endpoint, log }), share, roles }));
}

function createTracing(tracer: Tracer): Tracing {
  return {
    request: (facts, run) => traceRequest(tracer, facts, run),
    commit: (run) => {
      const span = tracer.start({ name: 'response.commit', kind: SpanKind.INTERNAL, attributes: {} });
      return tracer.within(span, () => ending(span, run));
    },
    stamped: (events) => {
      const traceparent = tracer.current();
      return traceparent === undefined ? events : events.map((event) => ({ ...event, traceparent }));
    },
    publishing: (publish) => (connection, event, how) => {
      const span = startPublish(tracer, event, how.republished);
      if (!span) return publish(connection, event, how);
      return ending(span, () => publish(connection, withSpan(event, span), how));
    },
    incoming: (incoming) => traceIncoming(tracer, incoming),
    attempt: (works, provider) => followAttempt(tracer, works, provider),
    close: () => Promise.race([tracer.close().catch(() => undefined), new Promise<void>((resolve) => void setTimeout(resolve, closeMs).unref())]),
  };
}

async function traceRequest(tracer: Tracer, { traceparent, method, path, statusOf }: Parameters<TraceRequest>[0], run: () => Promise<void>): Promise<void> {
  const attributes = { 'http.request.method': method, 'url.path': path };
  const span = tracer.start({ name: `${method} ${path}`, kind: SpanKind.SERVER, attributes, parent: traceparent });
  const runAndTell = async (): Promise<void> => {
    await run();
    span.setAttribute('http.response.status_code', statusOf());
  };
  await tracer.within(span, () => ending(span, runAndTell));
}

/** One that comes from the outbox again goes on in the trace of its event. */
function startPublish(tracer: Tracer, event: Event, isAgain: boolean): Span | undefined {
  if (event.traceparent === undefined && !isAgain) return undefined; // not sampled
  const place = event.traceparent === undefined ? { traceId: traceIdOf(event.id) } : { parent: event.traceparent };
  return tracer.start({ name: 'event.publish', kind: SpanKind.PRODUCER, attributes: { ...describe(event), 'formwire.republished': isAgain }, ...place });
}

function traceIncoming(tracer: Tracer, incoming: Incoming): Incoming {
  const { event } = incoming;
  if (event.traceparent === undefined) return incoming;
  const span = tracer.start({ name: 'event.dispatch', kind: SpanKind.CONSUMER, attributes: describe(event), parent: event.traceparent });
  const ack = (): void => {
    incoming.ack();
    span.end();
  };
  return { ...incoming, event: withSpan(event, span), ack };
}

/**
 * A span for each delivery of a call, in the trace of its event: the first attempt in that of the mutation, later ones,
 * hours or days after it, in the event's own, to which an attempt links that leaves its delivery pending.
 */
function followAttempt(tracer: Tracer, works: readonly Work[], provider: string): ReturnType<FollowAttempt> {
  const spans = works.map((work) => startAttempt(tracer, work, provider));
  return {
    events: works.map(({ event }, index) => withSpan(event, spans[index])),
    end: (outcomes) => {
      for (const [index, span] of spans.entries()) {
        const outcome = outcomes[index];
        if (!span) continue;
        span.setAttribute('formwire.outcome', outcome?.status ?? 'unknown');
        if (outcome?.httpStatus !== undefined) span.setAttribute('http.response.status_code', outcome.httpStatus);
        if (outcome && 'error' in outcome) span.setAttribute('error.type', outcome.error);
        if (outcome?.status !== 'delivered') leave(span, works[index]);
        span.end();
      }
    },
  };
}

function startAttempt(tracer: Tracer, work: Work, provider: string): Span | undefined {
  const { event, kind } = work;
  if (event.traceparent === undefined && kind === 'first') return undefined; // not sampled
  const attributes = {
    ...describe(event),
    'formwire.delivery_id': work.deliveryId,
    'formwire.integration_id': work.integrationId,
    'formwire.provider': provider,
    'formwire.attempt': work.attempts + 1,
    'formwire.lane_wait_ms': Math.round(performance.now() - work.since),
  };
  const place = event.traceparent === undefined ? { traceId: traceIdOf(event.id) } : { parent: event.traceparent };
  return tracer.start({ name: 'delivery.attempt', kind: SpanKind.CLIENT, attributes, ...place });
}

function leave(span: Span, work: Work | undefined): void {
  span.setStatus({ code: SpanStatusCode.ERROR });
  if (work) span.addLink({ context: { traceId: traceIdOf(work.event.id), spanId: spanIdOf(work.event.id), traceFlags: TraceFlags.SAMPLED } });
}

const describe = (event: Event): Attributes => ({
  'formwire.event_id': event.id,
  'formwire.event_type': event.type,
  'formwire.form_id': event.formId,
  'formwire.response_id': event.responseId,
});

/** What is sent on carries the span that sends it. */
function withSpan(event: Event, span: Span | undefined): Event {
  const traceparent = span && traceparentOf(span);
  return traceparent === undefined ? event : { ...event, traceparent };
}

/** Runs it to its end, which is the span's; what it fails with is a class of error there, and no text. */
async function ending<T>(span: Span, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    span.setStatus({ code: SpanStatusCode.ERROR });
    span.setAttribute('error.type', error instanceof Error ? error.name : 'unknown');
    throw error;
  } finally {
    span.end();
  }
}
