import { randomUUID } from "node:crypto";
import { controlClient, type RelayReport } from "@proveniq/local-cloud/control";
import { afterAll, describe, expect, inject, test } from "vitest";
import { asItem, type Caller, Client } from "../../examples/demo/client.ts";
import { holdings } from "../../examples/demo/databases.ts";
import { callerPerCell, partner } from "../setup/callers.ts";

const fleet = inject("fleet");
const control = controlClient(fleet.control);
const client = new Client(fleet.router);
const callers = await callerPerCell(fleet);
afterAll(() => client.close());

const cells = Object.keys(fleet.cells);

function callerOf(cell: string): Caller {
  const caller = callers[cell];
  if (caller === undefined) throw new Error(`Nobody calls the cell ${cell}`);
  return caller;
}

/** Every document of every database of a cell that holds `text`, straight from its emulator. */
async function documentsWith(cell: string, text: string): Promise<string[]> {
  const { emulator, project, databases } = fleet.cells[cell] ?? { emulator: "", project: "", databases: [] };
  const found: string[] = [];
  for (const database of databases) {
    const root = `projects/${project}/databases/${database}/documents`;
    const response = await fetch(`http://${emulator}/v1/${encodeURI(root)}:runQuery`, {
      method: "POST",
      headers: { authorization: "Bearer owner", "content-type": "application/json" },
      body: JSON.stringify({ structuredQuery: { from: [{ allDescendants: true }] } }),
    });
    expect(response.status).toBe(200);
    const rows = (await response.json()) as { document?: { name: string } }[];
    for (const row of rows) {
      // Blobs are base64: the outbox page is searched as text too.
      const json = JSON.stringify(row).replace(/"bytesValue":"([^"]+)"/g, (_, b64: string) =>
        Buffer.from(b64, "base64").toString(),
      );
      if (row.document !== undefined && json.includes(text)) found.push(row.document.name);
    }
  }
  return found;
}

describe("two cells share nothing", () => {
  test("each has a process, an emulator and databases of its own", async () => {
    const services = await control.services();
    const pids = cells.flatMap((cell) => [services[cell]?.pid, services[`emulator-${cell}`]?.pid]);
    expect(pids.every((pid) => typeof pid === "number")).toBe(true);
    expect(new Set(pids).size).toBe(2 * cells.length);
    const databases = cells.flatMap((cell) => {
      const {
        emulator,
        project,
        databases: ids,
      } = fleet.cells[cell] ?? { emulator: "", project: "", databases: [] };
      return ids.map((id) => `${emulator}/${project}/${id}`);
    });
    expect(new Set(databases).size).toBe(databases.length);
  });

  test.each(cells)("what is written in %s is in no other cell's database", async (cell) => {
    const canary = `canary-${randomUUID()}`;
    const created = await client.expect(201, callerOf(cell), "POST", "/v1/items", {
      body: { title: canary, category: "other", attributes: { canary } },
      headers: { "idempotency-key": canary },
    });
    const { id } = asItem(created);
    expect((await documentsWith(cell, canary)).some((name) => name.endsWith(`/items/${id}`))).toBe(true);
    for (const other of cells.filter((c) => c !== cell)) {
      expect(await documentsWith(other, canary)).toEqual([]);
      expect(await documentsWith(other, id)).toEqual([]);
    }
  });

  test.each(cells)("calls of %s reach its own emulator and no other", async (cell) => {
    const calls = (report: Record<string, RelayReport>) =>
      Object.fromEntries(Object.entries(report).map(([name, r]) => [name, r.counters.calls]));
    const before = calls(await control.relays());
    // Replicators and sinks look at their own databases a few times a second: so many calls are clear of them.
    for (let n = 0; n < 50; n++) {
      const { id } = asItem(
        await client.expect(201, callerOf(cell), "POST", "/v1/items", {
          body: { title: `n ${n}`, category: "other" },
        }),
      );
      await client.expect(200, callerOf(cell), "GET", `/v1/items/${id}`);
      await client.expect(204, callerOf(cell), "DELETE", `/v1/items/${id}`);
    }
    const after = calls(await control.relays());
    const grown = Object.keys(after).filter((name) => (after[name] ?? 0) - (before[name] ?? 0) >= 150);
    expect(grown).toEqual([cell]);
  });

  test("two tenants of one cell that have databases of their own stay in them", async () => {
    await client.expect(201, partner(fleet, "nordic-mutual"), "POST", "/v1/items", {
      body: { title: "Yacht", category: "vehicle" },
    });
    const held = (await holdings(fleet)).filter((h) => h.items > 0 && h.cell === "eu");
    for (const { tenant, database } of held) {
      expect([tenant, database]).toEqual([
        tenant,
        tenant === "nordic-mutual" ? "eu-carriers" : "eu-partners",
      ]);
    }
    expect(held.map((h) => h.tenant)).toContain("nordic-mutual");
  });
});
