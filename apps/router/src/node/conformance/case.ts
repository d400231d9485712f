/** The vocabulary of the tables: what a case is, what it sends most, and how it says what is wrong. */

/** What a case looks at: the client's bytes, and what arrived at the cell. */
export interface Observed {
  reply: string;
  closed: boolean;
  statuses: number[];
  /** Requests that arrived: request line, headers in lower case, decoded body. */
  arrived: { line: string; headers: string[]; body: string }[];
}

export interface ConformanceCase {
  name: string;
  /** Written one after the other, so that a head or a chunk may be split anywhere. */
  send: readonly string[];
  /** What the cell writes back, by request; the last one repeats. */
  answers?: readonly string[];
  /** So long the cell takes to answer, in milliseconds. */
  cellMs?: number;
  /** The cell closes after its answer. */
  cellCloses?: boolean;
  /** Undefined when it is right, else what is wrong. */
  check: (seen: Observed) => string | undefined;
}

export const host = "Host: api.proveniq.io\r\n";
export const get = `GET /v1/items HTTP/1.1\r\n${host}`;
export const post = `POST /v1/items HTTP/1.1\r\n${host}`;

export const expectAll = (...problems: (string | false | undefined)[]) =>
  problems.filter((p): p is string => typeof p === "string").join("; ") || undefined;
export const status = (seen: Observed, ...wanted: number[]) =>
  seen.statuses.join() === wanted.join()
    ? undefined
    : `answered ${seen.statuses.join() || "nothing"}, not ${wanted.join()}`;
export const count = (seen: Observed, n: number) =>
  seen.arrived.length === n ? undefined : `${seen.arrived.length} requests reached the cell, not ${n}`;

/** Refused with a 4xx or a closed connection, and nothing reached the cell. */
export const refused = (seen: Observed) =>
  expectAll(
    seen.statuses.every((s) => s >= 400 && s < 600) ? undefined : `answered ${seen.statuses.join()}`,
    count(seen, 0),
  );
export const has = (lines: string[], line: string) => lines.some((l) => l.startsWith(line));

export const body = (seen: Observed, wanted: string) =>
  seen.arrived[0]?.body === wanted
    ? undefined
    : `the body arrived as ${JSON.stringify(seen.arrived[0]?.body)}`;
