import { createHash, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** How the server treats requests: properly, with a 5xx, or by never answering. */
export type EdgeConfigMode = "up" | "failing" | "hanging";

/** A stand-in for an Edge Config, speaking the protocol of `@vercel/edge-config`. */
export interface EdgeConfigServer {
  port: number;
  /** What goes into the EDGE_CONFIG variable: address, id and token. */
  connection: string;
  mode: EdgeConfigMode;
  /** Milliseconds that each answer takes. */
  delayMs: number;
  /** Requests so far that carried the right token. */
  requests(): number;
  /** Replace an item; undefined removes it. */
  set(key: string, value: unknown): void;
  /** Every item. */
  all(): Record<string, unknown>;
  close(): Promise<void>;
}

/**
 * Start one. It serves GET and HEAD of `/ID/item/KEY`, GET of `/ID/items` (all, or those of `?key=`) and of
 * `/ID/digest`, with Bearer tokens (or `?token=`), ETags and 304. Every answer names the digest of the content; a 404
 * that does is a missing key, one that does not is a missing Edge Config.
 */
export async function startEdgeConfig(
  options: {
    port?: number;
    host?: string;
    id?: string;
    token?: string;
    items?: Record<string, unknown>;
  } = {},
): Promise<EdgeConfigServer> {
  const { port = 0, host = "127.0.0.1", id = "ecfg_local", token = "local-edge-config" } = options;
  const items = new Map(Object.entries(options.items ?? {}));
  let requests = 0;
  const server = createServer((req, res) => {
    if (edge.mode === "hanging") return;
    if (edge.mode === "failing") return send(res, 503, { error: { code: "unavailable" } });
    const url = new URL(req.url ?? "/", "http://edge-config");
    const [, configId, kind, key] = url.pathname.split("/").map(decodeURIComponent);
    if (configId !== id) return send(res, 404, { error: { code: "edge_config_not_found" } });
    if (!isToken(req, url, token)) return send(res, 401, { error: { code: "unauthorized" } });
    requests += 1;
    if (req.method !== "GET" && req.method !== "HEAD")
      return send(res, 405, { error: { code: "method_not_allowed" } });
    const question = { kind, key, keys: url.searchParams.getAll("key"), items };
    if (edge.delayMs === 0) answer(req, res, question);
    else setTimeout(() => answer(req, res, question), edge.delayMs).unref();
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, resolve);
  });
  const bound = server.address() as AddressInfo;
  const edge: EdgeConfigServer = {
    port: bound.port,
    connection: `http://${host}:${bound.port}/${id}?token=${token}`,
    mode: "up",
    delayMs: 0,
    requests: () => requests,
    set: (key, value) => {
      if (value === undefined) items.delete(key);
      else items.set(key, value);
    },
    all: () => Object.fromEntries(items),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return edge;
}

interface Question {
  kind: string | undefined;
  key: string | undefined;
  keys: string[];
  items: ReadonlyMap<string, unknown>;
}

function answer(req: IncomingMessage, res: ServerResponse, { kind, key, keys, items }: Question): void {
  const digest = digestOf(Object.fromEntries(items));
  if (kind === "digest") return sendTagged(req, res, digest, digest);
  if (kind === "items") {
    const wanted = keys.length === 0 ? [...items.keys()] : keys.filter((k) => items.has(k));
    return sendTagged(req, res, Object.fromEntries(wanted.map((k) => [k, items.get(k)])), digest);
  }
  if (kind === "item" && key !== undefined && items.has(key))
    return sendTagged(req, res, items.get(key), digest);
  send(res, 404, { error: { code: "edge_config_item_not_found" } }, { "x-edge-config-digest": digest });
}

function sendTagged(req: IncomingMessage, res: ServerResponse, value: unknown, digest: string): void {
  const etag = `"${digestOf(value)}"`;
  const headers = { etag, "x-edge-config-digest": digest };
  if (req.headers["if-none-match"] === etag) {
    res.writeHead(304, headers);
    res.end();
  } else send(res, 200, value, headers, req.method === "HEAD");
}

function send(
  res: ServerResponse,
  status: number,
  value: unknown,
  headers: Record<string, string> = {},
  head = false,
): void {
  const body = Buffer.from(JSON.stringify(value));
  res.writeHead(status, { "content-type": "application/json", "content-length": body.length, ...headers });
  res.end(head ? undefined : body);
}

function isToken(req: IncomingMessage, url: URL, token: string): boolean {
  const given = req.headers.authorization?.replace(/^Bearer /, "") ?? url.searchParams.get("token") ?? "";
  const [a, b] = [given, token].map((text) => createHash("sha256").update(text).digest());
  return a !== undefined && b !== undefined && timingSafeEqual(a, b);
}

function digestOf(value: unknown): string {
  return createHash("sha256").update(JSON.stringify(value)).digest("hex");
}
