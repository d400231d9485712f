import { headers, type ProblemCode, reservedHeaderPrefix } from "@proveniq/contracts";
import { framingFault, noFraming } from "@proveniq/http-edge/head-rule";

/** What the router reads of a request's head, and the lines that go on to the cell. */
export interface RequestHead {
  host: string;
  /** Path and query as sent, without scheme and authority. */
  target: string;
  tenantHeader: string | readonly string[] | undefined;
  authorization: string | undefined;
  requestId: string | undefined;
  traceparent: string | undefined;
  tracestate: string | undefined;
  /** `none` also for a declared length of 0. */
  body: "none" | "length" | "chunked";
  /** In bytes, when `body` is `length`. */
  contentLength: number;
  expectsContinue: boolean;
  /** End-to-end headers, one `name: value\r\n` after the other, without those that the router writes itself. */
  passed: string;
}

export interface HeadProblem {
  problem: ProblemCode;
  detail: string;
}

/** The answer to a body that somebody would have to inflate. */
export const encoded: HeadProblem = {
  problem: "unsupported-media-type",
  detail:
    "Send the body without a Content-Encoding. Chunks of an import may be of Content-Type application/gzip.",
};

/** How a header is treated. `hop` concerns one connection only, `reserved` is ours alone: neither is passed on. */
type Treatment =
  | "pass"
  | "hop"
  | "reserved"
  | "host"
  | "length"
  | "encoding"
  | "content-encoding"
  | "connection"
  | "expect"
  | "upgrade"
  | "tenant"
  | "authorization"
  | "request-id"
  | "traceparent"
  | "tracestate";

const treatments: Readonly<Record<string, Treatment>> = {
  host: "host",
  "content-length": "length",
  "transfer-encoding": "encoding",
  "content-encoding": "content-encoding",
  connection: "connection",
  expect: "expect",
  upgrade: "upgrade",
  [headers.tenant]: "tenant",
  authorization: "authorization",
  [headers.requestId]: "request-id",
  [headers.traceparent]: "traceparent",
  [headers.tracestate]: "tracestate",
  "keep-alive": "hop",
  "proxy-connection": "hop",
  "proxy-authorization": "hop",
  te: "hop",
  trailer: "hop",
  "http2-settings": "hop",
};

/** By name as it was written, so that the usual spellings need no folding. Bounded: callers choose the names. */
const remembered = new Map<string, Treatment>();

function treatmentOf(name: string): Treatment {
  const known = remembered.get(name);
  if (known !== undefined) return known;
  const treatment = newTreatmentOf(name.toLowerCase());
  if (remembered.size < 1_000) remembered.set(name, treatment);
  return treatment;
}

function newTreatmentOf(lower: string): Treatment {
  // Some servers read `_` as `-`: a name that would mean something to us then goes no further.
  const folded = lower.replaceAll("_", "-");
  if (folded.startsWith(reservedHeaderPrefix)) return "reserved";
  const known = Object.hasOwn(treatments, folded) ? treatments[folded] : undefined;
  if (known === undefined) return "pass";
  return folded === lower ? known : "hop";
}

/**
 * Read a request's head. `raw` holds names and values in turn, as received. Refuses whatever two servers could read in
 * two ways: a second Host, length or credential, a length beside a transfer coding, codings other than `chunked`.
 */
export function readRequestHead(
  url: string,
  http11: boolean,
  raw: readonly string[],
): RequestHead | HeadProblem {
  const head: RequestHead = {
    host: "",
    target: url,
    tenantHeader: undefined,
    authorization: undefined,
    requestId: undefined,
    traceparent: undefined,
    tracestate: undefined,
    body: "none",
    contentLength: 0,
    expectsContinue: false,
    passed: "",
  };
  const framing = noFraming(http11);
  let traces = 0;
  let nominated: string | undefined;
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i] ?? "";
    const value = raw[i + 1] ?? "";
    switch (treatmentOf(name)) {
      case "pass":
        head.passed += `${name}: ${value}\r\n`;
        break;
      case "hop":
      case "reserved":
        break;
      case "host":
        framing.hosts += 1;
        framing.host = value;
        break;
      case "length":
        framing.lengths += 1;
        framing.length = value;
        break;
      case "encoding":
        framing.codings += 1;
        framing.coding = value;
        break;
      case "content-encoding":
        // Whoever inflates a body holds a thousand times of what was sent, and does it before it knows for whom.
        if (value.toLowerCase() !== "identity") return encoded;
        break;
      case "connection":
        if (!isUsualConnection(value)) nominated = nominated === undefined ? value : `${nominated},${value}`;
        break;
      case "expect":
        if (value.toLowerCase() !== "100-continue")
          return bad("Expect other than 100-continue is not supported.");
        // HTTP/1.0 knows no interim answers (RFC 9110, 10.1.1).
        head.expectsContinue = http11;
        break;
      case "upgrade":
        return {
          problem: "upgrade-refused",
          detail: "Speak plain HTTP/1.1: no protocol upgrade is offered.",
        };
      case "tenant":
        head.tenantHeader = head.tenantHeader === undefined ? value : [value, value];
        break;
      case "authorization":
        framing.credentials += 1;
        head.authorization = value;
        head.passed += `authorization: ${value}\r\n`;
        break;
      case "request-id":
        head.requestId = head.requestId === undefined ? value : "";
        break;
      case "traceparent":
        traces += 1;
        head.traceparent = traces === 1 ? value : undefined;
        break;
      case "tracestate":
        head.tracestate = head.tracestate === undefined ? value : `${head.tracestate},${value}`;
        break;
    }
  }
  const fault = framingFault(framing);
  if (fault !== undefined) return bad(fault);
  head.host = framing.host;
  head.contentLength = Number(framing.length);
  if (framing.codings === 1) head.body = "chunked";
  else if (head.contentLength > 0) head.body = "length";
  if (nominated !== undefined && !dropNominated(head, nominated))
    return bad("Connection names a header that is not its to drop.");
  return head.target.charCodeAt(0) === 0x2f ? head : withoutAuthority(head);
}

function bad(detail: string): HeadProblem {
  return { problem: "invalid-request", detail };
}

function isUsualConnection(value: string): boolean {
  return value === "keep-alive" || value === "close" || /^(keep-alive|close)$/i.test(value);
}

/** Drop what Connection nominates; false when that is a header by which requests are routed, framed or authorised. */
function dropNominated(head: RequestHead, connection: string): boolean {
  const names = new Set(connection.split(",").map((name) => name.trim().toLowerCase()));
  for (const name of names) {
    const treatment = treatmentOf(name);
    if (treatment !== "pass" && treatment !== "hop" && treatment !== "reserved") return false;
  }
  const lines = head.passed.split("\r\n").slice(0, -1);
  head.passed = lines
    .filter((line) => !names.has(line.slice(0, line.indexOf(":")).toLowerCase()))
    .map((line) => `${line}\r\n`)
    .join("");
  return true;
}

/** `GET http://host/path`: allowed when the authority is that of the Host header (RFC 9112, 3.2.2). */
function withoutAuthority(head: RequestHead): RequestHead | HeadProblem {
  const match = /^https?:\/\/([^/?#]*)(.*)$/i.exec(head.target);
  if (match === null) return bad("The request target must be a path.");
  const [, authority = "", rest = ""] = match;
  if (authority.toLowerCase() !== head.host.toLowerCase())
    return bad("The request target names another host than Host.");
  head.target = rest.startsWith("/") ? rest : `/${rest}`;
  return head;
}
