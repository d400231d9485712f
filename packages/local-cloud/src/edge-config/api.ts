import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { z } from "zod";
import type { EdgeConfigServer } from "./server.ts";

const change = z.strictObject({
  items: z.array(z.strictObject({ operation: z.literal("upsert"), key: z.string(), value: z.unknown() })),
});

/** A stand-in for the REST API by which an Edge Config is written. */
export interface EdgeConfigApi {
  url: string;
  /** Answer the next calls with this status instead; undefined: properly. */
  failWith: number | undefined;
  /** Of the calls so far. */
  teams: (string | null)[];
  close(): Promise<void>;
}

/** Start one over an Edge Config's stand-in: GET and PATCH of `/v1/edge-config/ID/items`, with a Bearer token of its own. */
export async function startEdgeConfigApi(
  edge: EdgeConfigServer,
  { id, token, maxBytes }: { id: string; token: string; maxBytes: number },
): Promise<EdgeConfigApi> {
  const server = createServer((req, res) => {
    const chunks: Buffer[] = [];
    req.on("data", (chunk: Buffer) => chunks.push(chunk));
    req.on("end", () => {
      const send = (status: number, body: object) => {
        res.writeHead(status, { "content-type": "application/json" });
        res.end(JSON.stringify(body));
      };
      const refuse = (status: number, message: string) =>
        send(status, { error: { code: "refused", message } });
      const url = new URL(req.url ?? "/", "http://api");
      api.teams.push(url.searchParams.get("teamId"));
      if (api.failWith !== undefined) return refuse(api.failWith, "as the test wants");
      if (req.headers.authorization !== `Bearer ${token}`) return refuse(403, "Not authorized");
      if (url.pathname !== `/v1/edge-config/${id}/items`) return refuse(404, "Not found");
      if (req.method === "GET")
        return send(
          200,
          Object.entries(edge.all()).map(([key, value]) => ({ key, value })),
        );
      const body = Buffer.concat(chunks);
      if (body.length > maxBytes) return refuse(413, "Too large");
      const parsed = change.safeParse(JSON.parse(body.toString("utf8")));
      if (!parsed.success) return refuse(400, "Invalid request");
      for (const { key, value } of parsed.data.items) edge.set(key, value);
      send(200, { status: "ok" });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const api: EdgeConfigApi = {
    url: `http://127.0.0.1:${port}`,
    failWith: undefined,
    teams: [],
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return api;
}
