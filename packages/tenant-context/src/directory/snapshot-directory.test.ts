import type { DirectorySnapshot } from "@proveniq/contracts";
import { beforeEach, describe, expect, it } from "vitest";
import { SnapshotDirectory } from "./snapshot-directory.ts";
import { exampleSnapshot } from "./testing/snapshot.ts";

let logged: { level: string; facts: Record<string, string | number> }[];
let directory: SnapshotDirectory;
const offer = (document: unknown) => directory.offerText(JSON.stringify(document), "test");

let readAgain: number;
/** The cell that holds carrier-a by the example, and the epoch by which it is asked. */
const held = { cellId: "enterprise-a", epoch: 3 };

beforeEach(() => {
  logged = [];
  readAgain = 0;
  directory = new SnapshotDirectory((level, _message, facts) => logged.push({ level, facts }), {
    readAgain: () => {
      readAgain += 1;
    },
    origins: { zone: "proveniq.io", loopback: true },
  });
});

describe("before the first snapshot", () => {
  it("cannot say who is where, and adopts nothing", () => {
    expect(directory.hostTable()).toBeUndefined();
    expect(directory.lookup("carrier-a")).toBe("unavailable");
    expect(directory.adopt("carrier-a", held, { cellId: "eu", epoch: 4 })).toBe(false);
  });

  it("believes one without tenants: a new fleet has none", () => {
    expect(offer(exampleSnapshot({ tenants: {}, tenantHosts: {} }))).toBe("accepted");
    expect(directory.lookup("carrier-a")).toBe("unknown");
  });
});

describe("a snapshot", () => {
  it("says which cell holds a tenant, since which epoch", () => {
    expect(offer(exampleSnapshot())).toBe("accepted");
    expect(directory.lookup("carrier-a")).toMatchObject({ cell: { id: "enterprise-a" }, epoch: 3 });
    expect(directory.lookup("nobody-here")).toBe("unknown");
  });

  it("says what each host admits", () => {
    offer(exampleSnapshot());
    const hosts = directory.hostTable()?.hosts;
    expect(hosts?.get("api.proveniq.io")).toMatchObject({
      kind: "global",
      defaultTenant: "consumers",
      defaultCell: { id: "consumer" },
    });
    expect(hosts?.get("eu.proveniq.io")).toMatchObject({ kind: "region", defaultCell: { id: "eu" } });
    expect(hosts?.get("nordic-mutual.proveniq.io")).toEqual({ kind: "tenant", tenantId: "nordic-mutual" });
  });

  it("is replaced by a newer one", () => {
    offer(exampleSnapshot());
    expect(
      offer(exampleSnapshot({ version: 2, tenants: { "carrier-a": ["consumer", 4] }, tenantHosts: {} })),
    ).toBe("accepted");
    expect(directory.lookup("carrier-a")).toMatchObject({ cell: { id: "consumer" }, epoch: 4 });
    expect(directory.version).toBe(2);
  });

  it.each([
    ["an older version", JSON.stringify(exampleSnapshot({ version: 4 }))],
    ["no tenant at all", JSON.stringify(exampleSnapshot({ version: 6, tenants: {}, tenantHosts: {} }))],
    ["nothing", ""],
    ["half a file", JSON.stringify(exampleSnapshot({ version: 6 })).slice(0, 200)],
    ["an array", "[]"],
    ["null", "null"],
    ["an unknown field", JSON.stringify({ ...exampleSnapshot({ version: 6 }), extra: 1 })],
    [
      "a tenant of an unknown cell",
      JSON.stringify({ ...exampleSnapshot({ version: 6 }), tenants: { abc: ["x9", 1] } }),
    ],
    [
      "a tenant without an epoch",
      JSON.stringify({ ...exampleSnapshot({ version: 6 }), tenants: { abc: ["eu"] } }),
    ],
    ["an epoch of zero", JSON.stringify({ ...exampleSnapshot({ version: 6 }), tenants: { abc: ["eu", 0] } })],
    [
      "a reserved tenant",
      JSON.stringify({ ...exampleSnapshot({ version: 6 }), tenants: { admin: ["eu", 1] } }),
    ],
    ["tenants as an array", JSON.stringify({ ...exampleSnapshot({ version: 6 }), tenants: [] })],
    [
      "a host of an unknown tenant",
      JSON.stringify(exampleSnapshot({ version: 6, tenantHosts: { "x.io": "nobody" } })),
    ],
    [
      "a tenant on a host of the fleet",
      JSON.stringify(exampleSnapshot({ version: 6, tenantHosts: { "eu.proveniq.io": "atelier-nord" } })),
    ],
  ])("is not believed when it has %s", (_, text) => {
    offer(exampleSnapshot({ version: 5 }));
    expect(directory.offerText(text, "test")).toBe("refused");
    expect(directory.version).toBe(5);
    expect(directory.lookup("carrier-a")).toMatchObject({ epoch: 3 });
    expect(logged.at(-1)).toMatchObject({ level: "warn", facts: { source: "test", believedVersion: 5 } });
  });

  it.each<[string, (cell: DirectorySnapshot["topology"]["cells"][string]) => object]>([
    ["out of the zone", (cell) => ({ ...cell, api: "https://evil.example" })],
    ["not https", (cell) => ({ ...cell, bulk: "http://eu-bulk.cells.proveniq.io" })],
    ["with a path", (cell) => ({ ...cell, api: "https://eu-api.cells.proveniq.io/x" })],
    ["with a user", (cell) => ({ ...cell, api: "https://u:p@eu-api.cells.proveniq.io" })],
    ["of another cell", (cell) => ({ ...cell, api: "http://127.0.0.1:9012" })],
  ])("is not believed when it has an origin %s", (_, change) => {
    offer(exampleSnapshot({ version: 5 }));
    const { topology, ...rest } = exampleSnapshot({ version: 6 });
    const { eu } = topology.cells;
    if (eu === undefined) throw new Error("no cell eu");
    const cells = { ...topology.cells, eu: change(eu) };
    expect(offer({ ...rest, topology: { ...topology, cells } })).toBe("refused");
    expect(directory.version).toBe(5);
  });

  it("of an impossible version is not believed, and does not stand in the way of the next", () => {
    expect(offer(exampleSnapshot({ version: Number.MAX_SAFE_INTEGER }))).toBe("refused");
    offer(exampleSnapshot({ version: 5 }));
    expect(offer(exampleSnapshot({ version: 900_000_000 }))).toBe("refused");
    expect(offer(exampleSnapshot({ version: 6 }))).toBe("accepted");
    // A router that began with it lets go of it as soon as the publisher has replaced it.
    const fresh = new SnapshotDirectory(() => undefined);
    expect(fresh.offerDocument(exampleSnapshot({ version: 900_000_000 }), "test")).toBe("accepted");
    expect(fresh.offerDocument(exampleSnapshot({ version: 6 }), "test")).toBe("accepted");
    expect(fresh.version).toBe(6);
  });

  it("of the same version changes nothing and is not worth a line", () => {
    offer(exampleSnapshot());
    const lines = logged.length;
    expect(offer(exampleSnapshot())).toBe("same");
    expect(logged).toHaveLength(lines);
  });
});

describe("what a cell tells", () => {
  beforeEach(() => offer(exampleSnapshot()));

  const tell = (cellId: string, epoch: number, asked = held) =>
    directory.adopt("carrier-a", asked, { cellId, epoch });
  const where = () => {
    const found = directory.lookup("carrier-a");
    return typeof found === "string" ? found : `${found.cell.id};${found.epoch}`;
  };

  it("is adopted when it is one move further, until the next directory is published, whatever that says", () => {
    expect(tell("consumer", 4)).toBe(true);
    expect(where()).toBe("consumer;4");
    expect(tell("eu", 5, { cellId: "consumer", epoch: 4 })).toBe(true);
    expect(where()).toBe("eu;5");
    expect(readAgain).toBe(0);
    offer(exampleSnapshot({ version: 2 }));
    expect(where()).toBe("enterprise-a;3");
  });

  it.each([
    ["an epoch that is not higher", "consumer", 3],
    ["the cell itself", "enterprise-a", 4],
    ["the cell itself, far ahead", "enterprise-a", 4_000_000_000],
  ])("is refused when it is %s", (_, cellId, epoch) => {
    expect(tell(cellId, epoch)).toBe(false);
    expect(where()).toBe("enterprise-a;3");
    expect(readAgain).toBe(0);
  });

  it.each([
    ["two moves further", "consumer", 5],
    ["the last epoch there is", "consumer", 4_294_967_295],
    ["a cell that nobody knows", "nowhere", 4],
  ])("is not adopted when it is %s, and has the directory read again", (_, cellId, epoch) => {
    expect(tell(cellId, epoch)).toBe(false);
    expect(where()).toBe("enterprise-a;3");
    expect(readAgain).toBe(1);
  });

  it("is not adopted from a cell that does not hold the tenant, nor for a tenant that nobody lists", () => {
    expect(tell("consumer", 4, { cellId: "eu", epoch: 3 })).toBe(false);
    expect(directory.adopt("consumers", { cellId: "consumer", epoch: 0 }, { cellId: "eu", epoch: 1 })).toBe(
      false,
    );
    expect(directory.lookup("consumers")).toBe("unknown");
  });

  it("is no news, but a reason to ask elsewhere, when another request has learnt it meanwhile", () => {
    expect(tell("consumer", 4)).toBe(true);
    expect(tell("consumer", 4)).toBe(true);
    expect(where()).toBe("consumer;4");
  });
});
