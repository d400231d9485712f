import { ProblemError } from "@proveniq/contracts";
import { readBody } from "./read-body.ts";

/** Largest JSON body that is read, in bytes. */
export const maxJsonBytes = 256 * 1024;
/** Deepest nesting that is parsed; the contracts need 3. */
export const maxJsonDepth = 20;

/** A body as it was parsed, and its bytes, which idempotency digests are made of. */
export interface JsonBody {
  value: unknown;
  bytes: Uint8Array;
}

/**
 * Read a request's JSON body with every bound checked before the work it bounds.
 * Throws ProblemError: unsupported-media-type, payload-too-large, invalid-json, invalid-request.
 */
export async function readJson(request: Request, mediaTypes: readonly string[]): Promise<JsonBody> {
  const type = (request.headers.get("content-type") ?? "").split(";")[0]?.trim().toLowerCase() ?? "";
  if (!mediaTypes.includes(type)) {
    throw new ProblemError("unsupported-media-type", `Send Content-Type: ${mediaTypes.join(" or ")}.`);
  }
  const bytes = await readBody(
    request,
    maxJsonBytes,
    () => new ProblemError("payload-too-large", `Send at most ${maxJsonBytes} bytes.`),
  );
  const value = parseJson(decode(bytes));
  refuseUnsafe(value, "");
  return { value, bytes };
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new ProblemError("invalid-json", "The body is not UTF-8.");
  }
}

function parseJson(text: string): unknown {
  if (depthOf(text) > maxJsonDepth) {
    throw new ProblemError("invalid-json", `The body is nested deeper than ${maxJsonDepth} levels.`);
  }
  try {
    return JSON.parse(text);
  } catch {
    // The parser's own message quotes the body.
    throw new ProblemError("invalid-json", text.trim() === "" ? "The body is empty." : undefined);
  }
}

/** Nesting of a text, were it JSON. One pass without recursion; strings are skipped. */
export function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  let inString = false;
  for (let i = 0; i < text.length; i += 1) {
    const c = text.charCodeAt(i);
    if (inString) {
      if (c === 0x5c) i += 1;
      else if (c === 0x22) inString = false;
    } else if (c === 0x22) inString = true;
    else if (c === 0x7b || c === 0x5b) {
      depth += 1;
      if (depth > deepest) deepest = depth;
    } else if (c === 0x7d || c === 0x5d) depth -= 1;
  }
  return deepest;
}

/**
 * Schemas pass over the name `__proto__` in maps, and the database would change half a surrogate pair in
 * silence: both are refused wherever they are.
 */
function refuseUnsafe(value: unknown, path: string): void {
  if (typeof value === "string" && !value.isWellFormed()) throw unsafe(path, "must be well-formed Unicode");
  if (typeof value !== "object" || value === null) return;
  for (const [key, child] of Object.entries(value)) {
    const at = `${path}/${key}`;
    if (key === "__proto__") throw unsafe(at, "is not a known field");
    if (!key.isWellFormed()) throw unsafe(path, "has a name that is not well-formed Unicode");
    refuseUnsafe(child, at);
  }
}

function unsafe(path: string, message: string): ProblemError {
  return new ProblemError("invalid-request", "The body is not valid.", {
    errors: [{ path: path.slice(0, 200), message }],
  });
}
