import { createHash } from "node:crypto";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";

interface Held {
  bytes: Buffer;
  generation: string;
  metadata: Record<string, string>;
}

/**
 * A stand-in of Cloud Storage's JSON API, for tests: list, get, upload, copy and delete of the objects of one bucket, `inbox`, in
 * memory. Of preconditions it knows generations alone.
 */
export async function startStorage() {
  const objects = new Map<string, Held>();
  let generation = 0;
  const put = (name: string, bytes: Buffer | string, metadata: Record<string, string> = {}) =>
    objects.set(name, { bytes: Buffer.from(bytes), generation: String((generation += 1)), metadata });
  const described = (name: string, { bytes, generation: version, metadata }: Held) => ({
    kind: "storage#object",
    name,
    bucket: "inbox",
    generation: version,
    size: String(bytes.length),
    md5Hash: createHash("md5").update(bytes).digest("base64"),
    metadata,
  });
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? "/", "http://here");
    const send = (status: number, body: unknown) => {
      response.writeHead(status, { "content-type": "application/json" });
      response.end(status === 204 ? undefined : JSON.stringify(body));
    };
    const missing = () => send(404, { error: { code: 404, message: "No such object" } });
    void bodyOf(request).then((body) => {
      const [, name = "", , target = ""] =
        /\/b\/inbox\/o\/([^/]+)(\/(?:copyTo|rewriteTo)\/b\/inbox\/o\/([^/]+))?$/.exec(url.pathname) ?? [];
      const held = objects.get(decodeURIComponent(name));
      const wanted = url.searchParams.get("generation") ?? url.searchParams.get("ifGenerationMatch");
      if (url.pathname.startsWith("/upload/")) {
        const { name: given, content, metadata } = multipart(request, body);
        const into = url.searchParams.get("name") ?? given;
        put(into, content, metadata);
        const made = objects.get(into);
        return send(200, made === undefined ? {} : described(into, made));
      }
      if (name === "") {
        const prefix = url.searchParams.get("prefix") ?? "";
        const items = [...objects].filter(([key]) => key.startsWith(prefix));
        return send(200, { items: items.map(([key, each]) => described(key, each)) });
      }
      if (held === undefined || (wanted !== null && wanted !== held.generation)) return missing();
      const key = decodeURIComponent(name);
      if (target !== "") {
        const { metadata = {} } = body.length === 0 ? {} : JSON.parse(body.toString());
        put(decodeURIComponent(target), held.bytes, metadata);
        return send(200, { done: true, resource: described(key, held) });
      }
      if (request.method === "DELETE") {
        objects.delete(key);
        return send(204, undefined);
      }
      if (url.searchParams.get("alt") !== "media") return send(200, described(key, held));
      const md5 = createHash("md5").update(held.bytes).digest("base64");
      response.writeHead(200, { "x-goog-hash": `md5=${md5}`, "x-goog-generation": held.generation });
      return response.end(held.bytes);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    put,
    names: () => [...objects.keys()].sort(),
    text: (name: string) => objects.get(name)?.bytes.toString(),
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  return Buffer.concat(await request.toArray());
}

/** A multipart upload: what it is called and says of itself, then its bytes. */
function multipart(request: IncomingMessage, body: Buffer) {
  const boundary = /boundary=([^;]+)/.exec(request.headers["content-type"] ?? "")?.[1] ?? "";
  const [, first = "", second = ""] = body.toString("latin1").split(`--${boundary}`);
  const after = (part: string) => part.slice(part.indexOf("\r\n\r\n") + 4, -2);
  const { name = "", metadata = {} } = first === "" ? {} : JSON.parse(after(first));
  return { name: String(name), metadata, content: Buffer.from(after(second), "latin1") };
}
