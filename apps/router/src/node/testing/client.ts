import { Agent, type IncomingHttpHeaders, type OutgoingHttpHeaders, request } from "node:http";

export interface Reply {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
  /** The answer broke off. */
  truncated: boolean;
}

export interface Ask {
  method?: string;
  path?: string;
  host?: string;
  headers?: OutgoingHttpHeaders;
  body?: string | Buffer;
  agent?: Agent;
}

/** Ask the router on `port` over a connection of its own; the host is `api.proveniq.io` unless given. */
export function ask(port: number, options: Ask = {}): Promise<Reply> {
  const { method = "GET", path = "/v1/items", host = "api.proveniq.io", headers = {}, body, agent } = options;
  return new Promise((resolve, reject) => {
    const req = request(
      { port, host: "127.0.0.1", method, path, headers: { host, ...headers }, agent: agent ?? new Agent() },
      (res) => {
        const pieces: Buffer[] = [];
        res.on("data", (piece: Buffer) => pieces.push(piece));
        const done = (truncated: boolean) =>
          resolve({
            status: res.statusCode ?? 0,
            headers: res.headers,
            body: Buffer.concat(pieces).toString("utf8"),
            truncated,
          });
        res.on("end", () => done(false));
        res.on("error", () => done(true));
      },
    );
    req.on("error", reject);
    req.end(body);
  });
}

/** The `code` of a problem document. */
export function problemCode(reply: Reply): unknown {
  const document: unknown = JSON.parse(reply.body);
  return typeof document === "object" && document !== null && "code" in document ? document.code : undefined;
}
