import { Agent, createServer, request } from "node:http";

export interface Door {
  close(): Promise<void>;
}

/**
 * A port of this machine that leads to one host of a router: names below localhost are known to curl and browsers, and to the
 * resolvers of most languages not. What comes in goes on as it is, but for its Host.
 */
export async function openDoor(port: number, router: string, host: string): Promise<Door> {
  const { hostname, port: routerPort } = new URL(router);
  const agent = new Agent({ keepAlive: true });
  const server = createServer((incoming, outgoing) => {
    const { method, url, rawHeaders } = incoming;
    const headers = rawHeaders.flatMap((text, n) => {
      if (n % 2 === 1) return [];
      const name = text.toLowerCase();
      return name === "host" || name === "connection" ? [] : [text, rawHeaders[n + 1] ?? ""];
    });
    const forwarded = request({
      agent,
      hostname,
      port: routerPort,
      method,
      path: url,
      headers: ["Host", `${host}:${routerPort}`, ...headers],
    });
    forwarded.on("response", (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
      answer.pipe(outgoing);
      answer.on("error", () => outgoing.destroy());
    });
    forwarded.on("error", () => {
      if (!outgoing.headersSent) outgoing.writeHead(502).end();
      else outgoing.destroy();
    });
    outgoing.on("close", () => forwarded.destroy());
    incoming.pipe(forwarded);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  return {
    close: () =>
      new Promise((resolve) => {
        agent.destroy();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
