import { SpanKind, trace, TraceFlags } from '@opentelemetry/api';
import { SamplingDecision, TraceIdRatioBasedSampler, type Sampler } from '@opentelemetry/sdk-trace';

/**
 * Which spans are sampled: all or none of a trace. A trace that begins here, by its id: the same one in every process.
 * A request that comes with a trace of its caller's as well, unless the caller does not sample it: strangers must not
 * decide how much is sent. Within a trace, whatever its beginning says.
 */
export function createSampler(share: number): Sampler {
  const byId = new TraceIdRatioBasedSampler(share);
  return {
    shouldSample: (context, traceId, _name, kind) => {
      const parent = trace.getSpanContext(context);
      const isBegun = parent !== undefined && kind !== SpanKind.SERVER;
      const isSampled = parent === undefined || (parent.traceFlags & TraceFlags.SAMPLED) !== 0;
      if (!isSampled) return { decision: SamplingDecision.NOT_RECORD };
      return isBegun ? { decision: SamplingDecision.RECORD_AND_SAMPLED } : byId.shouldSample(context, traceId);
    },
    toString: () => `Formwire{${share}}`,
  };
}
