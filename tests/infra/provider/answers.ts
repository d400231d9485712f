import { once } from "node:events";
import { createServer } from "node:http";

/** By the name of an API as the provider's variables call it: what a path, after its version, is answered with. */
export type Answers = Readonly<Record<string, (path: string) => object | undefined>>;

/**
 * Answer the few questions that a plan asks of the cloud, on loopback. Gives the variables by which the provider finds it; an API
 * that is not among them is looked for at an address where nobody answers, so that nothing leaves the machine.
 */
export async function serveAnswers(
  answers: Answers,
): Promise<{ environment: Record<string, string>; stop: () => void }> {
  const server = createServer((request, response) => {
    const [, api = "", path = ""] = /^\/(\w+)\/(.*?)(?:\?|$)/.exec(request.url ?? "") ?? [];
    const found = request.method === "GET" ? answers[api]?.(decodeURIComponent(path)) : undefined;
    response.writeHead(found === undefined ? 404 : 200, { "content-type": "application/json" });
    response.end(JSON.stringify(found ?? { error: { code: 404, message: `nobody knows ${request.url}` } }));
  })
    // Whatever would leave the machine is refused at once: a connection that only closes is tried again for minutes.
    .on("connect", (_, socket) => socket.end("HTTP/1.1 403 Forbidden\r\n\r\n"))
    .listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("there is no free port");
  const environment = {
    GOOGLE_OAUTH_ACCESS_TOKEN: "nobody",
    HTTPS_PROXY: `http://127.0.0.1:${address.port}`,
    ...Object.fromEntries(
      Object.keys(answers).map((api) => [
        `GOOGLE_${api}_CUSTOM_ENDPOINT`,
        `http://127.0.0.1:${address.port}/${api}/`,
      ]),
    ),
  };
  return {
    environment,
    stop: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
