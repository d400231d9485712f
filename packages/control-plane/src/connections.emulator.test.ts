import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { type Connections, openConnections } from "./connections.ts";
import { originsOf } from "./directory/build.ts";
import { diffDirectory } from "./directory/publish.ts";
import { fileTarget } from "./directory/target.ts";
import { type Fleet, loadFleet } from "./fleet/load.ts";
import { addTenant } from "./tenants/add.ts";
import { listTenants } from "./tenants/list.ts";

const infra = join(fileURLToPath(new URL("../../..", import.meta.url)), "infra");
const origin = { who: "ann@proveniq.io", from: "ann-laptop" };
let fleet: Fleet;
let connections: Connections & { close(): Promise<void> };
beforeAll(async () => {
  fleet = await loadFleet(infra);
  // The central project is another test's too: this one has a name of its own.
  const config = { ...fleet.config, central: { ...fleet.config.central, project: "connections-central" } };
  fleet = { ...fleet, config };
  connections = openConnections(fleet, () => inject("firestoreHost"));
});
afterAll(() => connections.close());

describe("connections to what infra/ names", () => {
  test("reach the registry and each cell's databases, and what follows is production's directory", async () => {
    await addTenant(connections, fleet, { tenantId: "conn-nord", name: "Nord", cellId: "eu" }, origin);
    expect((await listTenants(connections)).map((p) => [p.tenantId, p.cellId])).toEqual([
      ["conn-nord", "eu"],
    ]);
    const { config, manifests } = fleet;
    const target = fileTarget(join(infra, "no-such-directory.json"));
    const { control } = connections;
    const origins = () => originsOf(manifests);
    const whoIs = () => Promise.reject(new Error("does not answer"));
    const publication = { target, control, config, manifests, origins, origin, whoIs };
    const { present, refusals, changes } = await diffDirectory(publication);
    // Nobody is there: all of these origins are new to routers.
    expect(present).toBeNull();
    expect(refusals.filter((each) => !each.includes("does not answer, and no router uses it yet"))).toEqual(
      [],
    );
    expect(JSON.stringify(changes)).toContain("https://eu-api.cells.proveniq.io");
    expect(() => connections.cell("moon")).toThrow("there is no cell moon");
  });
});
