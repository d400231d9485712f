import { ProblemError } from "@proveniq/contracts";
import type { MiddlewareHandler } from "hono";
import type { AppEnv } from "../deps.ts";

/** Refuses a body that would have to be inflated, of whatever route and caller, before a byte of it is read. */
export const plainBody: MiddlewareHandler<AppEnv> = async (c, next) => {
  const encoding = c.req.header("content-encoding") ?? "identity";
  if (encoding.trim().toLowerCase() !== "identity") {
    throw new ProblemError(
      "unsupported-media-type",
      "Send the body without a Content-Encoding. Chunks of an import may be compressed: as Content-Type: application/gzip.",
    );
  }
  await next();
};
