import { describe, expect, it } from "vitest";
import { type DirectoryTable, parseSnapshot } from "./snapshot.ts";
import { exampleSnapshot } from "./testing/snapshot.ts";

const seen = (table: DirectoryTable, id: string) => {
  const record = table.placements.find(id);
  return record === -1
    ? undefined
    : [table.cells[table.placements.cellAt(record)]?.id, table.placements.epochAt(record)];
};

describe("parseSnapshot", () => {
  const compact = JSON.stringify(exampleSnapshot());

  it.each([
    ["written without spaces", compact],
    ["written for people", JSON.stringify(exampleSnapshot(), undefined, 2)],
    ["with an escape", compact.replace('"carrier-a":[', '"carrier-\\u0061":[')],
    [
      "with a tenant twice, where the last one counts",
      compact.replace('"tenants":{', '"tenants":{"carrier-a":["eu",1],'),
    ],
    ["with an exponent", compact.replace('["enterprise-a",3]', '["enterprise-a",3e0]')],
  ])("reads one %s", (_, text) => {
    const table = parseSnapshot(text);
    expect(table.placements.size).toBe(3);
    expect(seen(table, "carrier-a")).toEqual(["enterprise-a", 3]);
    expect(seen(table, "nordic-mutual")).toEqual(["eu", 2]);
    expect(table.hosts.hosts.get("nordic-mutual.proveniq.io")).toEqual({
      kind: "tenant",
      tenantId: "nordic-mutual",
    });
  });

  it("reads one whose cell is called tenants", () => {
    const snapshot = exampleSnapshot();
    const { consumer, ...others } = snapshot.topology.cells;
    const tenants = { ...consumer, api: "http://127.0.0.1:9031", bulk: "http://127.0.0.1:9032" };
    const topology = { ...snapshot.topology, cells: { consumer, ...others, tenants } };
    const table = parseSnapshot(JSON.stringify({ ...snapshot, topology }));
    expect(seen(table, "carrier-a")).toEqual(["enterprise-a", 3]);
  });

  it.each([
    ["a bad id", compact.replace('"carrier-a":[', '"Carrier":['), /\/tenants\/Carrier is not a tenant id/],
    ["an unknown cell", compact.replace('["enterprise-a",3]', '["nowhere",3]'), /names an unknown cell/],
    ["a leading zero", compact.replace('["enterprise-a",3]', '["enterprise-a",03]'), /JSON/],
    [
      "an epoch too many digits long",
      compact.replace('["enterprise-a",3]', '["enterprise-a",4294967296]'),
      /epoch/,
    ],
    ["a comma too many", compact.replace('["eu",2]}', '["eu",2],}'), /JSON/],
    ["a host of nobody", compact.replace(':"nordic-mutual"}', ':"nobody-here"}'), /unknown tenant/],
    ["something after the end", `${compact}x`, /JSON/],
  ])("explains %s", (_, text, message) => {
    expect(() => parseSnapshot(text)).toThrow(message);
  });
});
