import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { caseDirectory } from "../decide/cases.ts";
import { ask, problemCode } from "./testing/client.ts";
import { type RouterProcess, startRouterProcess } from "./testing/router-process.ts";

vi.setConfig({ testTimeout: 60_000 });

let folder: string;
let server: Server;
let served = 0;
let router: RouterProcess | undefined;

/** A certificate that nobody has signed but itself, for one name; made here, so that no key lies in the repository. */
function certify(name: string): { key: string; cert: string } {
  const [key, cert] = [join(folder, `${name}.key`), join(folder, `${name}.crt`)];
  const subject = ["-subj", `/CN=${name}`, "-addext", `subjectAltName=DNS:${name}`];
  const kind = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"];
  execFileSync("openssl", ["req", ...kind, ...subject, "-keyout", key, "-out", cert], { stdio: "pipe" });
  return { key, cert };
}

async function serveAs(name: string): Promise<string> {
  const { key, cert } = certify(name);
  server.setSecureContext({ key: await readFile(key), cert: await readFile(cert) });
  return cert;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "router-tls-"));
  server = createServer((_req, res) => {
    served += 1;
    res.end("from the cell");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const origin = `https://localhost:${(server.address() as AddressInfo).port}`;
  const { topology } = caseDirectory;
  const consumer = { residency: "global", api: origin, bulk: origin };
  const cells = { ...topology.cells, consumer };
  await writeFile(
    join(folder, "directory.json"),
    JSON.stringify({ ...caseDirectory, topology: { ...topology, cells } }),
  );
});
afterEach(async () => {
  await router?.stop();
  router = undefined;
  served = 0;
});
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await rm(folder, { recursive: true });
});

async function start(env: Record<string, string> = {}): Promise<number> {
  router = await startRouterProcess(
    { DIRECTORY_FILE: join(folder, "directory.json"), ...env },
    process.env["PATH"],
  );
  return router.port;
}

describe("a cell behind TLS", () => {
  it("is reached when its certificate is trusted, with one connection for many requests", async () => {
    let handshakes = 0;
    server.on("secureConnection", () => {
      handshakes += 1;
    });
    const port = await start({ NODE_EXTRA_CA_CERTS: await serveAs("localhost") });
    for (let n = 0; n < 5; n += 1) {
      const reply = await ask(port);
      expect([reply.status, reply.body]).toEqual([200, "from the cell"]);
    }
    expect([served, handshakes]).toEqual([5, 1]);
  });

  it("is not believed when nobody vouches for its certificate", async () => {
    await serveAs("localhost");
    const reply = await ask(await start());
    expect([reply.status, problemCode(reply), served]).toEqual([502, "cell-unreachable", 0]);
  });

  it("is not believed when its certificate is for another name", async () => {
    const reply = await ask(await start({ NODE_EXTRA_CA_CERTS: await serveAs("other.example") }));
    expect([reply.status, problemCode(reply), served]).toEqual([502, "cell-unreachable", 0]);
  });
});
