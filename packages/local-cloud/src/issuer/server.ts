import { once } from "node:events";
import { createServer } from "node:http";
import type { TokenIssuer } from "@proveniq/contracts";
import type { IssuerKey } from "./key.ts";

export interface IssuerServer {
  /** `http://127.0.0.1:port`. */
  origin: string;
  stop(): Promise<void>;
}

/**
 * What a cell of a project must be told to trust it. As with Firebase, each project has an issuer and an audience of
 * its own, so that a token for one cell's people is nothing in another's.
 */
export function developmentIssuer(origin: string, project: string): TokenIssuer {
  return {
    issuer: `${origin}/${project}`,
    audience: project,
    jwks: `${origin}/jwks.json`,
    algorithm: "RS256",
  };
}

/**
 * Serve the public key, and an OpenID configuration for every project, on 127.0.0.1. It hands out no tokens: those
 * are minted with the private key by whoever can read its file.
 */
export async function serveIssuer(key: IssuerKey, port: number): Promise<IssuerServer> {
  const keys = JSON.stringify({ keys: [key.publicJwk] });
  const server = createServer((request, response) => {
    const body = request.method === "GET" ? documentAt(request.url ?? "") : undefined;
    response.writeHead(body === undefined ? 404 : 200, { "content-type": "application/json" });
    response.end(body ?? JSON.stringify({ error: "not found" }));
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const origin = `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : port}`;
  const documentAt = (path: string): string | undefined => {
    if (path === "/jwks.json") return keys;
    const project = /^\/([a-z][a-z0-9-]{4,28}[a-z0-9])\/\.well-known\/openid-configuration$/.exec(path)?.[1];
    if (project === undefined) return undefined;
    const { issuer, jwks } = developmentIssuer(origin, project);
    return JSON.stringify({
      issuer,
      jwks_uri: jwks,
      id_token_signing_alg_values_supported: ["RS256"],
      response_types_supported: ["id_token"],
      subject_types_supported: ["public"],
    });
  };
  return {
    origin,
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
