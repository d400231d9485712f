import { beforeEach, describe, expect, it } from "vitest";
import { exampleSnapshot } from "./fixture.ts";
import { SnapshotDirectory } from "./snapshot-directory.ts";

let logged: { level: string; facts: Record<string, string | number> }[];
let directory: SnapshotDirectory;
const offer = (document: unknown) => directory.offerText(JSON.stringify(document), "test");

beforeEach(() => {
  logged = [];
  directory = new SnapshotDirectory((level, _message, facts) => logged.push({ level, facts }));
});

describe("before the first snapshot", () => {
  it("cannot say who is where, and adopts nothing", () => {
    expect(directory.hostTable()).toBeUndefined();
    expect(directory.lookup("carrier-a")).toBe("unavailable");
    expect(directory.adopt("carrier-a", "eu", 9)).toBe(false);
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

  it("of the same version changes nothing and is not worth a line", () => {
    offer(exampleSnapshot());
    const lines = logged.length;
    expect(offer(exampleSnapshot())).toBe("same");
    expect(logged).toHaveLength(lines);
  });
});

describe("what a cell tells", () => {
  beforeEach(() => offer(exampleSnapshot()));

  it("is adopted when its epoch is higher, until the directory has caught up", () => {
    expect(directory.adopt("carrier-a", "consumer", 4)).toBe(true);
    expect(directory.lookup("carrier-a")).toMatchObject({ cell: { id: "consumer" }, epoch: 4 });
    offer(exampleSnapshot({ version: 2, tenants: { "carrier-a": ["eu", 5] }, tenantHosts: {} }));
    expect(directory.lookup("carrier-a")).toMatchObject({ cell: { id: "eu" }, epoch: 5 });
  });

  it("is not adopted with an epoch that is not higher, or for an unknown cell", () => {
    expect(directory.adopt("carrier-a", "consumer", 3)).toBe(false);
    expect(directory.adopt("carrier-a", "nowhere", 9)).toBe(false);
    directory.adopt("carrier-a", "consumer", 5);
    expect(directory.adopt("carrier-a", "eu", 5)).toBe(false);
    expect(directory.lookup("carrier-a")).toMatchObject({ cell: { id: "consumer" }, epoch: 5 });
  });

  it("survives a snapshot that does not know it yet", () => {
    directory.adopt("carrier-a", "consumer", 4);
    offer(exampleSnapshot({ version: 2 }));
    expect(directory.lookup("carrier-a")).toMatchObject({ cell: { id: "consumer" }, epoch: 4 });
  });
});
