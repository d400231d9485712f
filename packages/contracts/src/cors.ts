/**
 * Browsers ask before they call, and cannot say for which tenant: so the answer is the same for all. It gives no
 * access (credentials travel in Authorization, never in cookies); which origins may read answers is the tenant's
 * to decide, when its name is known.
 */
export const preflightHeaders: Readonly<Record<string, string>> = Object.freeze({
  "access-control-allow-origin": "*",
  "access-control-allow-methods": "GET, HEAD, POST, PUT, PATCH, DELETE",
  "access-control-allow-headers":
    "Authorization, Content-Digest, Content-Type, Idempotency-Key, If-Match, If-None-Match, X-Request-ID, X-Tenant-ID, traceparent, tracestate",
  "access-control-max-age": "7200",
  vary: "Access-Control-Request-Method, Access-Control-Request-Headers, Origin",
});

/** What a page may read of an answer besides its body. */
export const exposedHeaders =
  "ETag, Location, Retry-After, RateLimit, RateLimit-Policy, X-Request-ID, traceresponse, Idempotency-Replayed, Market-Sequence, Market-Age";

/** True for a preflight; any other OPTIONS is a question about methods. */
export function isPreflight(method: string, header: (name: string) => string | undefined): boolean {
  return (
    method === "OPTIONS" &&
    header("origin") !== undefined &&
    header("access-control-request-method") !== undefined
  );
}
