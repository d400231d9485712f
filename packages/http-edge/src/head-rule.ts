/**
 * What a head says about where its request ends and whom it is for, as it was counted. Two servers that read the same bytes must
 * come to the same, so whatever they could read in two ways is refused (RFC 9112, 3.2 and 6.3).
 */
export interface Framing {
  http11: boolean;
  hosts: number;
  /** The last of each; empty where there is none. */
  host: string;
  lengths: number;
  length: string;
  codings: number;
  coding: string;
  credentials: number;
}

/** A head of which nothing has been read yet. */
export function noFraming(http11: boolean): Framing {
  return {
    http11,
    hosts: 0,
    host: "",
    lengths: 0,
    length: "",
    codings: 0,
    coding: "",
    credentials: 0,
  };
}

/** Why such a head is refused; undefined when it is not. */
export function framingFault(f: Framing): string | undefined {
  // Anything else in a host's name would reach logs and answers.
  if (f.hosts !== 1 || !/^[\x21-\x7e]+$/.test(f.host))
    return "Exactly one Host header is needed, of plain characters.";
  if (f.lengths > 1) return "Content-Length came more than once.";
  if (f.lengths === 1 && !/^[0-9]{1,15}$/.test(f.length)) return "Content-Length is not a number.";
  if (f.credentials > 1) return "Authorization came more than once.";
  if (f.codings === 0) return undefined;
  if (f.codings > 1 || f.lengths > 0) return "The length of the body is stated in two ways.";
  if (!f.http11) return "HTTP/1.0 knows no Transfer-Encoding.";
  return f.coding.toLowerCase() === "chunked"
    ? undefined
    : "Transfer-Encoding other than chunked is not supported.";
}

/** The same for who reads heads by Node alone. `raw`: names and values in turn, as received. */
export function headFault(raw: readonly string[], http11: boolean): string | undefined {
  const framing = noFraming(http11);
  for (let i = 0; i < raw.length; i += 2) count(framing, (raw[i] ?? "").toLowerCase(), raw[i + 1] ?? "");
  return framingFault(framing);
}

function count(framing: Framing, name: string, value: string): void {
  switch (name) {
    case "host":
      framing.hosts += 1;
      framing.host = value;
      break;
    case "content-length":
      framing.lengths += 1;
      framing.length = value;
      break;
    case "transfer-encoding":
      framing.codings += 1;
      framing.coding = value;
      break;
    case "authorization":
      framing.credentials += 1;
      break;
  }
}
