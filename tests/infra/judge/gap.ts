import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { text } from "node:stream/consumers";
import type { Judge } from "./judge.ts";

/**
 * A fake of what the stand-in has no handler for: who pays for a project, who may see budgets, and a secret's new version, which it
 * is told of. All else of Secret Manager is asked of the stand-in.
 */
export class Gap {
  readonly environment: Readonly<Record<string, string>>;
  readonly #server: Server;

  private constructor(server: Server, environment: Record<string, string>) {
    this.#server = server;
    this.environment = environment;
  }

  static async open(judge: Judge): Promise<Gap> {
    const billing = new Map<string, string>();
    let policy: { bindings?: { role: string; members: string[] }[] } = {};
    const secrets = judge.environment["GOOGLE_SECRET_MANAGER_CUSTOM_ENDPOINT"] ?? "";

    const answer = async (method: string, path: string, body: string, authorization: string) => {
      if (path.endsWith(":getIamPolicy") && path.startsWith("/billing/")) return policy;
      if (path.endsWith(":setIamPolicy") && path.startsWith("/billing/")) {
        ({ policy } = JSON.parse(body) as { policy: typeof policy });
        for (const { members } of policy.bindings ?? [])
          for (const member of members)
            await judge.ask("billing", { account: path.split("/")[2]?.split(":")[0] ?? "", member });
        return policy;
      }
      if (path.startsWith("/billing/")) {
        if (method === "PUT") billing.set(path, body);
        return JSON.parse(billing.get(path) ?? "{}") as object;
      }
      const added = /^\/secrets\/(projects\/[^/]+\/secrets\/[^/]+):addVersion$/.exec(path)?.[1];
      if (added !== undefined) {
        const name = `${added}/versions/1`;
        await judge.put("secretmanager.googleapis.com", name, { name, state: "ENABLED" });
        return { name };
      }
      return fetch(new URL(path.replace("/secrets/", ""), secrets), {
        method,
        headers: { authorization, "content-type": "application/json" },
        ...(body === "" ? {} : { body }),
      });
    };

    const server = createServer((request, response) => {
      void (async () => {
        const body = await text(request);
        const { method = "GET", url = "/", headers } = request;
        const found = await answer(method, url, body, headers.authorization ?? "");
        const isForwarded = found instanceof Response;
        response.writeHead(isForwarded ? found.status : 200, { "content-type": "application/json" });
        response.end(isForwarded ? await found.text() : JSON.stringify(found));
      })().catch((error: unknown) => response.writeHead(500).end(String(error)));
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("there is no free port");
    const base = `http://127.0.0.1:${address.port}`;
    return new Gap(server, {
      GOOGLE_CLOUD_BILLING_CUSTOM_ENDPOINT: `${base}/billing/`,
      GOOGLE_SECRET_MANAGER_CUSTOM_ENDPOINT: `${base}/secrets/`,
    });
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}
