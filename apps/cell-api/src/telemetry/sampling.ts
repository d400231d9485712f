import { type Context, createContextKey, trace } from "@opentelemetry/api";
import {
  ParentBasedSampler,
  type Sampler,
  SamplingDecision,
  TraceIdRatioBasedSampler,
} from "@opentelemetry/sdk-trace";

const key = createContextKey("work that a trace may begin with");

/** Only in such a context a trace begins: libraries that poll would begin one with every look. */
export function beginning(context: Context): Context {
  return context.setValue(key, true);
}

const drop = { decision: SamplingDecision.NOT_RECORD };
const keep = { decision: SamplingDecision.RECORD_AND_SAMPLED };

/**
 * Who calls has decided already, if anybody did; of the traces that begin here `ratio` (0 to 1) are recorded. What goes
 * on after its request has been answered, such as a cache that looks again by itself, is no part of it.
 */
export function samplingOf(ratio: number): Sampler {
  const part = new TraceIdRatioBasedSampler(ratio);
  return new ParentBasedSampler({
    root: {
      shouldSample: (context, traceId) =>
        context.getValue(key) === true ? part.shouldSample(context, traceId) : drop,
      toString: () => `our own work by ${part.toString()}`,
    },
    localParentSampled: {
      shouldSample: (context) => (trace.getSpan(context)?.isRecording() === true ? keep : drop),
      toString: () => "while its parent lasts",
    },
  });
}
