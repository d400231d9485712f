/** A line of one service's log. */
export interface LogLine {
  service: string;
  text: string;
}

/**
 * Lines of several logs, each in its own order, as one in order of time. A line without a time, such as one of a stack, belongs to
 * the one above it. Pure.
 */
export function inOrderOfTime(logs: readonly { service: string; lines: readonly string[] }[]): LogLine[] {
  return logs
    .flatMap(({ service, lines }) => {
      let at = 0;
      return lines.map((text) => {
        at = timeOf(text) ?? at;
        return { service, text, at };
      });
    })
    .toSorted((a, b) => a.at - b.at)
    .map(({ service, text }) => ({ service, text }));
}

/** When a structured line was written, in milliseconds since 1970. */
export function timeOf(line: string): number | undefined {
  if (!line.startsWith("{")) return undefined;
  try {
    const record: unknown = JSON.parse(line);
    if (typeof record !== "object" || record === null || !("time" in record)) return undefined;
    const { time } = record;
    const at = typeof time === "string" ? Date.parse(time) : typeof time === "number" ? time : Number.NaN;
    return Number.isNaN(at) ? undefined : at;
  } catch {
    return undefined;
  }
}

/** A line as one JSON document, whatever it was: `log`, and its own fields, or its `text`. */
export function asJson({ service, text }: LogLine): string {
  try {
    const record: unknown = JSON.parse(text);
    if (typeof record === "object" && record !== null && !Array.isArray(record))
      return JSON.stringify({ log: service, ...record });
  } catch {
    // It is text.
  }
  return JSON.stringify({ log: service, text });
}
