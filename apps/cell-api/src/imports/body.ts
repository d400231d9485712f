import { createHash } from "node:crypto";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { chunkMediaTypes, importLimits, ProblemError } from "@proveniq/contracts";
import { readBody } from "../http/read-body.ts";

const unzip = promisify(gunzip);
const most = importLimits.chunkBytes;

/** A chunk's content, unpacked, and its SHA-256 in hex: what the chunk is known by. `sent`: as it came, perhaps gzip. */
export interface ChunkBody {
  bytes: Buffer;
  sent: Buffer;
  digest: string;
}

/**
 * Read a chunk's body, every bound checked before the work it bounds. Throws unsupported-media-type,
 * payload-too-large, invalid-request (no digest), digest-mismatch, invalid-chunk.
 */
export async function readChunkBody(request: Request, expected: "csv" | "ndjson"): Promise<ChunkBody> {
  const type = mediaTypeOf(request, expected);
  const wanted = digestOf(request.headers.get("content-digest"));
  const sent = await readBody(
    request,
    most,
    () =>
      new ProblemError(
        "payload-too-large",
        `A chunk has at most ${most} bytes, sent and unpacked. Send smaller ones.`,
      ),
  );
  const actual = createHash("sha256").update(sent).digest();
  if (!actual.equals(wanted)) {
    throw new ProblemError(
      "digest-mismatch",
      `${sent.length} bytes arrived, and they are not those of Content-Digest.`,
    );
  }
  const bytes = type === "application/gzip" ? await unpack(sent) : sent;
  const digest = bytes === sent ? actual : createHash("sha256").update(bytes).digest();
  return { bytes, sent, digest: digest.toString("hex") };
}

function mediaTypeOf(request: Request, expected: "csv" | "ndjson"): string {
  const type = (request.headers.get("content-type") ?? "").split(";")[0]?.trim().toLowerCase() ?? "";
  const plain = expected === "csv" ? "text/csv" : "application/x-ndjson";
  if (!chunkMediaTypes.some((known) => known === type) || (type !== plain && type !== "application/gzip")) {
    throw new ProblemError("unsupported-media-type", `Send Content-Type: ${plain} or application/gzip.`);
  }
  const charset = /;\s*charset\s*=\s*"?([\w.:-]+)/i.exec(request.headers.get("content-type") ?? "")?.[1];
  if (charset !== undefined && !["utf-8", "utf8", "us-ascii"].includes(charset.toLowerCase())) {
    throw new ProblemError(
      "unsupported-media-type",
      `Chunks are UTF-8, whatever the charset of Content-Type says. Convert the file, for example with iconv -f ${charset.toUpperCase().slice(0, 40)} -t UTF-8.`,
    );
  }
  return type;
}

function digestOf(header: string | null): Buffer {
  const match = /(?:^|,)\s*sha-256=:([A-Za-z0-9+/]{43}=):/.exec(header ?? "");
  if (match?.[1] !== undefined) return Buffer.from(match[1], "base64");
  throw new ProblemError("invalid-request", "A chunk needs a Content-Digest header.", {
    errors: [
      {
        path: "Content-Digest",
        message: "must be sha-256=:BASE64:, the SHA-256 of the body as it is sent (RFC 9530)",
      },
    ],
  });
}

async function unpack(packed: Buffer): Promise<Buffer> {
  try {
    return await unzip(packed, { maxOutputLength: most });
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ERR_BUFFER_TOO_LARGE") {
      throw new ProblemError(
        "payload-too-large",
        `The chunk unpacks to more than ${most} bytes. Send smaller ones.`,
      );
    }
    throw new ProblemError("invalid-chunk", "The body is not gzip, or is cut off.");
  }
}
