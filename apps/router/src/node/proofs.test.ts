import { createHmac } from "node:crypto";
import { proofSecrets, proofText, readProof } from "@proveniq/contracts";
import { describe, expect, it } from "vitest";
import { startScriptedCell } from "./conformance/scripted-cell.ts";
import { Proofs } from "./proofs.ts";
import { ask } from "./testing/client.ts";
import { startRouter } from "./testing/start-router.ts";

const secret = (id: string, letter: string, residency: string) => `${residency}:${id}.${letter.repeat(43)}`;
const secrets = proofSecrets.parse(
  [secret("aaaaaa", "a", "global"), secret("bbbbbb", "b", "global"), secret("cccccc", "c", "eu")].join(","),
);
const valueOf = (line: string) => readProof(/^x-proveniq-proof: (.*)\r\n$/.exec(line)?.[1]);

describe("Proofs", () => {
  it("proves host and target by the first secret of the residency, and the same for five seconds at most", () => {
    let now = 1_764_560_004_999;
    const proofs = new Proofs(secrets, () => now);
    const first = proofs.line("global", "c.cells.proveniq.io", "/v1/items?a=1");
    const mac = createHmac("sha256", "a".repeat(43))
      .update(proofText(1_764_560_000, "c.cells.proveniq.io", "/v1/items?a=1"))
      .digest("base64url");
    expect(valueOf(first)).toEqual({ id: "aaaaaa", time: 1_764_560_000, mac });
    expect(proofs.line("global", "c.cells.proveniq.io", "/v1/items?a=1")).toBe(first);
    expect(proofs.line("global", "c.cells.proveniq.io", "/v1/items?a=2")).not.toBe(first);
    now += 1;
    expect(valueOf(proofs.line("global", "c.cells.proveniq.io", "/v1/items?a=1"))?.time).toBe(1_764_560_005);
    expect(valueOf(proofs.line("eu", "e.cells.proveniq.io", "/"))?.id).toBe("cccccc");
    expect(proofs.line("us", "u.cells.proveniq.io", "/")).toBe("");
  });

  it("keeps a bounded number, whatever callers ask for", () => {
    const proofs = new Proofs(secrets, () => 1_764_560_000_000);
    const before = process.memoryUsage().heapUsed;
    for (let n = 0; n < 50_000; n += 1) proofs.line("global", "c", `/${n}${"x".repeat(2_000)}`);
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(64 * 1_048_576);
  });
});

describe("the router", () => {
  it("proves itself by the host and the target that the cell gets, and lets nobody else do so", async () => {
    const cells = [await startScriptedCell(), await startScriptedCell()] as const;
    const [consumer, eu] = cells;
    const router = await startRouter(
      { consumer: consumer.origin, eu: eu.origin },
      { proofs: new Proofs(secrets) },
    );
    const headers = { "X-Proveniq-Proof": "v1;forged", x_proveniq_proof: "v1;forged" };
    await ask(router.port, { path: "/v1/items?a=%2F", headers });
    await ask(router.port, { path: "/v1/cell", host: "eu.proveniq.io", headers });
    for (const [cell, id, key, path] of [
      [consumer, "aaaaaa", "a".repeat(43), "/v1/items?a=%2F"],
      [eu, "cccccc", "c".repeat(43), "/v1/cell"],
    ] as const) {
      const lines = cell.seen.flatMap((seen) => seen.headers.filter((line) => /proof/i.test(line)));
      expect(lines).toHaveLength(1);
      const proof = valueOf(`${lines[0]}\r\n`);
      const text = proofText(proof?.time ?? 0, `127.0.0.1:${cell.port}`, path);
      expect(proof).toMatchObject({ id, mac: createHmac("sha256", key).update(text).digest("base64url") });
    }
    await router.stop();
    for (const cell of cells) await cell.close();
  });
});
