import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { caseDirectory } from "../decide/cases.ts";
import { ask } from "./testing/client.ts";
import { type RunningRouter, startRouter } from "./testing/start-router.ts";

const cellIds = ["consumer", "enterprise-a"] as const;
const tenants = Array.from({ length: 40 }, (_, n) => `mover-${n}`);

/** The truth: who holds a tenant. A cell looks here, as it would into the tenant's claim, before it writes. */
const claims = new Map<string, { cell: string; epoch: number }>();
/** Every write that a cell has done: by whom it was done, and who held the tenant at that moment. */
const writes: { id: string; cell: string; holder: string }[] = [];

function startCell(id: string): Server {
  return createServer((req, res) => {
    let body = "";
    req.on("data", (piece: Buffer) => {
      body += piece.toString();
    });
    req.on("end", () => {
      const claim = claims.get(String(req.headers["x-tenant-id"]));
      if (claim?.cell !== id) {
        const successor =
          claim === undefined ? {} : { "x-proveniq-successor": `${claim.cell};${claim.epoch}` };
        res.writeHead(421, successor).end("{}");
        return;
      }
      writes.push({ id: body, cell: id, holder: claim.cell });
      res.writeHead(201).end(JSON.stringify({ cell: id }));
    });
  });
}

let servers: Server[];
let router: RunningRouter;
let version = caseDirectory.version;
let published: Promise<void> | undefined;
let readAgain = 0;
/** A cell knows more than the router can believe of it: the directory is read at once, and has caught up by then. */
const onReadAgain = () => {
  published ??= sleep(5).then(() => {
    readAgain += 1;
    publish(new Map(claims));
    published = undefined;
  });
};

const publish = (placements: Map<string, { cell: string; epoch: number }>) => {
  version += 1;
  const origins = servers.map((s) => `http://127.0.0.1:${(s.address() as AddressInfo).port}`);
  const cells = Object.fromEntries(
    Object.entries(caseDirectory.topology.cells).map(([id, cell]) => {
      const origin = origins[cellIds.findIndex((c) => c === id)];
      return [id, origin === undefined ? cell : { ...cell, api: origin, bulk: origin }];
    }),
  );
  const moved = [...placements].map(([id, p]) => [id, [p.cell, p.epoch]] as const);
  router.directory.offerDocument(
    {
      ...caseDirectory,
      version,
      topology: { ...caseDirectory.topology, cells },
      tenants: { ...caseDirectory.tenants, ...Object.fromEntries(moved) },
    },
    "test",
  );
};

beforeAll(async () => {
  servers = cellIds.map(startCell);
  await Promise.all(servers.map((s) => new Promise<void>((resolve) => s.listen(0, "127.0.0.1", resolve))));
  router = await startRouter({}, { readAgain: onReadAgain });
  for (const id of tenants) claims.set(id, { cell: "consumer", epoch: 1 });
  publish(claims);
});
afterAll(async () => {
  await router.stop();
  for (const server of servers) server.close();
});

describe("a thousand moves under load, with a directory that lags up to ten seconds", () => {
  it("never puts a write into the wrong cell, loses none and doubles none", async () => {
    const state = { moving: true };
    const timers: NodeJS.Timeout[] = [];
    const answered: { id: string; status: number }[] = [];

    const mover = async () => {
      for (let n = 0; n < 1_000; n += 1) {
        const id = tenants[Math.floor(Math.random() * tenants.length)] ?? "";
        const claim = claims.get(id) ?? { cell: "consumer", epoch: 1 };
        const cell = claim.cell === "consumer" ? "enterprise-a" : "consumer";
        claims.set(id, { cell, epoch: claim.epoch + 1 });
        // What the directory will say of this moment, some time later: now and then overtaken by newer truths.
        const said = new Map(claims);
        if (n % 10 === 0) timers.push(setTimeout(() => publish(said), Math.random() * 10_000));
        await sleep(2);
      }
      state.moving = false;
    };
    const client = async (who: number) => {
      for (let n = 0; state.moving; n += 1) {
        const id = `${who}.${n}`;
        const tenant = tenants[(who * 7 + n * 3) % tenants.length] ?? "";
        const reply = await ask(router.port, {
          method: "POST",
          headers: { "x-tenant-id": tenant },
          body: id,
        });
        answered.push({ id, status: reply.status });
      }
    };
    await Promise.all([mover(), ...Array.from({ length: 8 }, (_, who) => client(who))]);
    for (const timer of timers) clearTimeout(timer);

    const done = answered.filter((a) => a.status === 201).map((a) => a.id);
    const ids = writes.map((w) => w.id);
    expect(writes.filter((w) => w.cell !== w.holder)).toEqual([]);
    expect(new Set(ids).size).toBe(ids.length);
    expect(done.toSorted()).toEqual(ids.toSorted());
    // A tenant that moves twice while one request is under way may cost that request: it is told so, and no more.
    expect(new Set(answered.map((a) => a.status).filter((s) => s !== 201 && s !== 421))).toEqual(new Set());
    expect(done.length / answered.length).toBeGreaterThan(0.5);
    expect(answered.length).toBeGreaterThan(100);
    expect(readAgain).toBeGreaterThan(10);
    expect(router.records.filter((r) => r.attempts === 2).length).toBeGreaterThan(20);
  }, 60_000);
});
