import { join } from "node:path";
import { addCell } from "@proveniq/control-plane";
import { auditResidency, plannedBreach } from "@proveniq/control-plane/residency";
import { routeByUrlMap, type UrlMap } from "@proveniq/control-plane/url-map";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RouteCase, routeCases } from "../../apps/router/src/decide/cases.ts";
import { everything, fleetOf, onlyCases, ownIssuer, projectsOf } from "./fleet.ts";
import { providerFolder } from "./judge/tools.ts";
import { faultsOf, plan } from "./plans.ts";
import { serviceName, urlMapsOf } from "./policies/edge.ts";
import { readSchema, usedOf } from "./provider/schema.ts";
import {
  engine,
  hasTerraform,
  Infra,
  type Planned,
  type Root,
  root as repositoryRoot,
  roots,
} from "./terraform.ts";

/** What a case must come to: no service, the router, or the very service that the router itself would have chosen. */
function wanted({ urlMap, outcome }: RouteCase): RegExp {
  if (urlMap === "reject") return /^421$/;
  if (urlMap === "router") return /^router-(global|eu)$/;
  // A problem is the cell's to answer, and it reads the same hints.
  if ("problem" in outcome) return /^(enterprise-a|eu)-(api|bulk)$/;
  return new RegExp(`^${outcome.cell}-${outcome.bulk === true ? "bulk" : "api"}$`);
}

it("the provider's schema is of the resources in use, and of no others", () => {
  const { resources, data } = readSchema();
  expect(Object.keys(resources).toSorted()).toEqual(usedOf("resource"));
  expect(Object.keys(data).toSorted()).toEqual(usedOf("data"));
});

it.runIf(hasTerraform)(
  `plans are made by ${engine === "provider" ? "the provider itself" : "a server that knows the provider's schema"}`,
  () => {
    expect(engine).toBe(providerFolder === undefined ? "schema" : "provider");
  },
);

describe.skipIf(!hasTerraform)("what Terraform would make of the repository", () => {
  let infra: Infra;
  const plans = new Map<string, Planned[]>();
  const planOf = (root: Root, name: string): Planned[] => {
    const found = plans.get(`${root} ${name}`);
    if (found === undefined) throw new Error(`there is no plan of ${root} ${name}`);
    return found;
  };

  beforeAll(async () => {
    infra = await Infra.copy();
    await Promise.all(
      everything(fleetOf(infra)).map(async ([root, names]) => {
        for (const [name, resources] of await plan(infra, root, names))
          plans.set(`${root} ${name}`, resources);
      }),
    );
  }, 240_000);
  afterAll(() => infra.close());

  it("is written as `terraform fmt` writes it", async () => {
    const { code, text } = await infra.terraform(join(repositoryRoot, "infra/terraform"), [
      "fmt",
      "-check",
      "-recursive",
    ]);
    expect(text).toBe("");
    expect(code).toBe(0);
  });

  it.each(roots)("is valid: %s", async (root) => {
    const { text } = await infra.terraform(infra.path(`terraform/roots/${root}`), ["validate", "-json"]);
    // Terraform warns of a provider that comes from a folder.
    const warning_count = engine === "provider" ? 1 : 0;
    expect(JSON.parse(text)).toMatchObject({ valid: true, error_count: 0, warning_count });
  });

  it.each(roots)("keeps every rule of the fleet: %s", (root) => {
    const names = everything(fleetOf(infra)).find(([r]) => r === root)?.[1] ?? [];
    expect(names).not.toEqual([]);
    for (const name of names) {
      const planned = planOf(root, name);
      expect(planned.length, name).toBeGreaterThan(5);
      expect(faultsOf(infra, root, name, planned)).toEqual([]);
    }
  });

  it("turns error reporting on in no project: what it reads would leave the residency", () => {
    const apis = projectsOf(fleetOf(infra)).flatMap((name) =>
      planOf("project", name).flatMap(({ values }) => values["service"] ?? []),
    );
    expect(apis).toContain("firestore.googleapis.com");
    expect(apis).not.toContain("clouderrorreporting.googleapis.com");
  });

  it("adopts the database that cell 0 had before there were cells, and no other", () => {
    const main = infra.read("terraform/roots/cell/main.tf");
    expect(main).toContain("to       = module.cell.google_firestore_database.this[each.key]");
    expect(planOf("cell", "consumer").map((r) => r.address)).toContain(
      'module.cell.google_firestore_database.this["(default)"]',
    );
  });

  it.each([
    ["carrier-a", "enterprise-a", "enterprise-a", ["carrier-a.proveniq.io"]],
    ["atelier-nord", "eu", "eu-carriers", ["nordic-mutual.proveniq.io"]],
    ["consumers", "consumer", "(default)", []],
  ])("is what the residency audit says of %s", (tenantId, cellId, databaseId, hosts) => {
    const { config, cells } = fleetOf(infra);
    const at = "2026-01-01T00:00:00.000Z";
    const residency = cells[cellId]?.residency ?? "global";
    const more = { epoch: 1, name: tenantId, createdAt: at, updatedAt: at };
    const { evidence } = auditResidency(
      { tenantId, cellId, databaseId, residency, hosts, ...more },
      { config, manifests: cells },
    );
    expect(evidence.filter((e) => e.resource !== null).length).toBeGreaterThan(15);
    const differing = evidence.flatMap((line) => {
      const { resource } = line;
      if (resource === null) return [];
      const made = planOf(resource.root, resource.state).find((r) => r.address === resource.address);
      const breach = plannedBreach(line, made?.values);
      return breach === null ? [] : [`${line.what} ${line.name}: ${breach}`];
    });
    expect(differing).toEqual([]);
    expect(evidence.filter((e) => e.breach !== null)).toEqual([]);
  });

  it("has room for one more cell, which leaves the others as they were", async () => {
    const more = await Infra.copy();
    try {
      await addCell(more.repository, {
        id: "zz-new",
        region: "europe-west3",
        residency: "eu",
        issuer: ownIssuer,
      });
      const touched = everything(fleetOf(more)).map(([root, names]): [Root, string[]] =>
        root === "cell" ? [root, ["zz-new", "eu", "enterprise-a"]] : [root, names],
      );
      const after = await Promise.all(
        touched.map(async ([root, names]) => ({ root, planned: await plan(more, root, names) })),
      );
      const hosts: string[] = [];
      for (const { root, planned } of after) {
        for (const [name, resources] of planned) {
          const same = root === "cell" && name !== "zz-new";
          expect(same ? planOf(root, name) : resources, `${root} ${name}`).toEqual(resources);
          expect(faultsOf(more, root, name, resources), `${root} ${name}`).toEqual([]);
          hosts.push(...urlMapsOf(resources).flatMap((m) => m.host_rule.flatMap((r) => r.hosts)));
        }
      }
      expect(hosts).toContain("zz-new-api.cells.proveniq.io");
    } finally {
      more.close();
    }
  }, 240_000);
});

describe.skipIf(!hasTerraform)("the URL maps of the fleet that the router's cases are about", () => {
  let infra: Infra;
  let maps: UrlMap[];
  beforeAll(async () => {
    infra = await Infra.copy();
    onlyCases(infra);
    maps = [...(await plan(infra, "edge", ["global", "eu"])).values()].flatMap(urlMapsOf);
  });
  afterAll(() => infra.close());

  const replayed = routeCases.flatMap((c) => (c.urlMap === undefined ? [] : [{ ...c, urlMap: c.urlMap }]));
  it("has the router's cases to replay", () => expect(replayed.length).toBeGreaterThan(60));

  it.each(replayed)("sends past the router only what the router would send there: $name", (c) => {
    const host = c.host.toLowerCase().replace(/:\d*$/, "");
    // DNS leads each host to the one load balancer that serves it; any other one refuses it.
    const map = maps.find((m) => m.host_rule.some((r) => r.hosts.includes(host))) ?? maps[0];
    if (map === undefined) throw new Error("no URL map is planned");
    const { tenantHeader = [] } = c;
    const given = typeof tenantHeader === "string" ? [tenantHeader] : tenantHeader;
    const decision = routeByUrlMap(map, {
      host: c.host,
      path: c.path ?? "/v1/items",
      headers: { "x-tenant-id": given },
    });
    expect(decision.kind === "reject" ? `${decision.status}` : serviceName(decision.service)).toMatch(
      wanted(c),
    );
  });
});

describe.skipIf(!hasTerraform)("a cell that is added", () => {
  it("is refused when its analytics keys would look like another cell's", async () => {
    const infra = await Infra.copy();
    try {
      await addCell(infra.repository, {
        id: "eu-2030",
        region: "europe-west1",
        residency: "eu",
        issuer: ownIssuer,
      });
      await expect(plan(infra, "cell", ["eu-2030"])).rejects.toThrow(/must not contain "-20"/);
    } finally {
      infra.close();
    }
  }, 240_000);
});
