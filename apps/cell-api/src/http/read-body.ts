import { ProblemError } from "@proveniq/contracts";

/**
 * All bytes of a body, `most` of them; `tooLarge` says what to answer when there are more. What is left then stays where it is:
 * the server reads it away once the answer is written. Throws that ProblemError, or invalid-request when the body breaks off.
 */
export async function readBody(
  request: Request,
  most: number,
  tooLarge: () => ProblemError,
): Promise<Buffer> {
  if (Number(request.headers.get("content-length") ?? 0) > most) throw tooLarge();
  const parts: Uint8Array[] = [];
  let size = 0;
  try {
    // Cancelled, the stream would take the connection down, and the answer with it.
    for await (const part of request.body?.values({ preventCancel: true }) ?? []) {
      size += part.byteLength;
      if (size > most) throw tooLarge();
      parts.push(part);
    }
  } catch (error) {
    if (error instanceof ProblemError) throw error;
    throw new ProblemError("invalid-request", "The body did not arrive whole.", { cause: error });
  }
  return Buffer.concat(parts);
}
