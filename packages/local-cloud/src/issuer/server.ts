import { once } from "node:events";
import { createServer } from "node:http";
import type { TokenIssuer } from "@proveniq/contracts";
import type { IssuerKey } from "./key.ts";

export interface IssuerServer {
  /** What a cell must be told to trust it. */
  trust: TokenIssuer;
  stop(): Promise<void>;
}

/** Who the development issuer's tokens are for. */
export const developmentAudience = "proveniq-development";

/**
 * Serve the public key and an OpenID configuration on 127.0.0.1. It hands out no tokens: those are minted with the
 * private key by whoever can read its file.
 */
export async function serveIssuer(key: IssuerKey, port: number): Promise<IssuerServer> {
  const server = createServer((request, response) => {
    const body = request.method === "GET" ? documents[request.url ?? ""] : undefined;
    response.writeHead(body === undefined ? 404 : 200, { "content-type": "application/json" });
    response.end(JSON.stringify(body ?? { error: "not found" }));
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const bound = typeof address === "object" && address !== null ? address.port : port;
  const issuer = `http://127.0.0.1:${bound}`;
  const jwks = `${issuer}/jwks.json`;
  const documents: Record<string, unknown> = {
    "/jwks.json": { keys: [key.publicJwk] },
    "/.well-known/openid-configuration": {
      issuer,
      jwks_uri: jwks,
      id_token_signing_alg_values_supported: ["RS256"],
      response_types_supported: ["id_token"],
      subject_types_supported: ["public"],
    },
  };
  return {
    trust: { issuer, audience: developmentAudience, jwks, algorithm: "RS256" },
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
