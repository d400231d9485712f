import { type Claim, type Pause, pausable } from "@proveniq/contracts";
import { describe, expect, it } from "vitest";
import { judge } from "./judge.ts";
import type { Trouble } from "./troubles.ts";
import type { CellFacts, Finding, FleetFacts, PlacedTenants, Probe } from "./types.ts";

const ok = <T>(value: T): Probe<T> => ({ ok: true, value });
const dead: Probe<never> = { ok: false, error: "connection refused" };
const quiet = { seconds: 300, requests: 0, failed: 0 };
const service = { status: "ready", unavailable: [], degraded: [], traffic: quiet };
const outbox = { database: "main", state: "ready", waitingPages: 0, oldestSeconds: 0, setAside: 0 };
const claim: Claim = { tenantId: "carrier-a", state: "active", epoch: 3, copies: 1 };

const cell: CellFacts = {
  id: "eu",
  digest: ok("aa"),
  api: ok(service),
  bulk: ok(service),
  sink: ok([outbox]),
  replica: ok({ sequence: 7, ageSeconds: 2 }),
  tenants: ok([{ tenantId: "carrier-a", claim, imports: 0 }]),
  pauses: ok([]),
  maxReplicaLagSeconds: 60,
};
const placed: PlacedTenants = { version: 9, tenants: { "carrier-a": { cellId: "eu", epoch: 3 } } };
const well: FleetFacts = {
  at: "2026-11-27T03:00:00.000Z",
  cells: [cell],
  router: ok(true),
  registry: ok(placed),
  directory: ok(placed),
  warehouse: ok(true),
};
const of = (change: Partial<CellFacts>): FleetFacts => ({ ...well, cells: [{ ...cell, ...change }] });
const traffic = (requests: number, failed: number) =>
  ok({ ...service, traffic: { seconds: 300, requests, failed } });
const claimed = (change: Partial<Claim>) =>
  of({ tenants: ok([{ tenantId: "carrier-a", claim: { ...claim, ...change }, imports: 0 }]) });

const paused = (what: Pause["what"]): Probe<Pause[]> =>
  ok([{ what, since: "2026-11-27T01:00:00.000Z", who: "ann", from: "desk", reason: "INC-42" }]);

describe("what is ill, where, and what to type", () => {
  it.each(pausable.options)(
    "tells of %s that somebody has paused, as no illness, and how it goes on",
    (what) => {
      expect(judge(of({ pauses: paused(what), sink: ok([{ ...outbox, state: "paused" }]) }))).toEqual([
        {
          where: "eu",
          level: "note",
          what: `${what} paused since 2026-11-27T01:00:00.000Z by ann (desk): INC-42`,
          runbook: "docs/runbooks/noisy-tenant.md",
          next: `npx fleet resume eu ${what}`,
        },
      ]);
    },
  );

  it("names the environment in what is typed about it", () => {
    const [dead] = judge(of({ bulk: { ok: false, error: "x" } }), " --env staging");
    expect(dead?.next).toBe("npx fleet logs eu --since 15m --level warn --service bulk --env staging");
  });

  it("points to the rollback where a cell fails that runs something else than the others", () => {
    const failing = { ...cell, id: "us", digest: ok("bb"), tenants: ok([]), api: traffic(100, 50) };
    const facts = { ...well, cells: [cell, failing] };
    expect(judge(facts).map((f) => [f.where, f.next])).toEqual([
      ["us", "npx fleet rollback us"],
      ["fleet", "npx fleet deploy --status"],
    ]);
    expect(judge(facts, " --env production").map((f) => f.next)).toEqual([
      "npx fleet rollback us --env production",
      "npx fleet deploy --status --env production",
    ]);
  });

  it("says of what a pause has made old to end the pause", () => {
    const old = of({ pauses: paused("replicator"), replica: ok({ sequence: 7, ageSeconds: 61 }) });
    expect(judge(old).map((f) => [f.level, f.next])).toEqual([
      ["ill", "npx fleet resume eu replicator"],
      ["note", "npx fleet resume eu replicator"],
    ]);
    const late = of({
      pauses: paused("sink"),
      sink: ok([{ ...outbox, state: "paused", oldestSeconds: 901 }]),
    });
    expect(judge(late)[0]).toMatchObject({ level: "ill", next: "npx fleet resume eu sink" });
  });

  const digest = "a".repeat(64);
  const published = { ...placed, digest };
  const nowhere = { ...placed, tenants: {} };
  it.each<[string, Partial<FleetFacts>, string]>([
    [
      "a wrong cell",
      { directory: ok({ ...published, tenants: { "carrier-a": { cellId: "us", epoch: 3 } } }) },
      "routers read directory version 9, the registry is at 9, and is wrong about 1 tenants (carrier-a)",
    ],
    [
      "a tenant that nobody placed",
      { directory: ok({ ...published, tenants: { ...placed.tenants, stray: { cellId: "eu", epoch: 1 } } }) },
      "the directory names 1 tenants that the registry does not know (stray)",
    ],
    [
      "a wrong host",
      { directory: ok({ ...published, astray: ["host x.example"] }) },
      "the directory is not as the registry and infra/ say: host x.example",
    ],
    ["a lost tenant", { directory: ok(nowhere) }, "is wrong about 1 tenants"],
    [
      "a router that believes in a newer version",
      { directory: ok(published), used: ok({ version: 12, digest }) },
      "the router uses directory version 12, and not version 9, which is published",
    ],
    [
      "a router that believes another text",
      { directory: ok(published), used: ok({ version: 9, digest: "b".repeat(64) }) },
      "the router uses another directory of version 9 than is published",
    ],
  ])("has the directory published over %s", (_, facts, what) => {
    expect(judge({ ...well, ...facts })).toEqual([
      expect.objectContaining({
        where: "fleet",
        level: "ill",
        what: expect.stringContaining(what),
        next: "npx fleet directory publish",
      }),
    ]);
    for (const used of [ok({ version: 9, digest }), ok({ version: 9, digest: null }), dead])
      expect(judge({ ...well, directory: ok(published), used })).toEqual([]);
  });

  const at = "2026-11-27T02:59:00.000Z";
  it.each<[Trouble, Partial<Finding>]>([
    [
      { kind: "keeps-ending", service: "replicate-eu", count: 4, last: "ended (exit code 1)", at },
      {
        where: "eu",
        what: `replicate-eu keeps ending: 4 times, last at ${at} (ended (exit code 1))`,
        next: "npx fleet logs eu --service replicate --since 15m",
      },
    ],
    [
      { kind: "keeps-ending", service: "eu", count: 2, last: "ended (SIGKILL)", at },
      { where: "eu", next: "npx fleet logs eu --since 15m" },
    ],
    [
      { kind: "keeps-ending", service: "emulator-eu@aaaaaaaaaaaa", count: 2, last: "x", at },
      { where: "eu", next: "npx fleet logs eu --service database --since 15m" },
    ],
    [
      { kind: "keeps-ending", service: "emulator-central", count: 2, last: "x", at },
      { where: "fleet", next: "npx fleet logs central --since 15m" },
    ],
    [
      { kind: "keeps-ending", service: "router", count: 2, last: "x", at },
      { where: "fleet", next: "npx fleet logs router --since 15m" },
    ],
    [
      { kind: "no-log", service: "bulk-eu", since: at, reason: "ENOSPC" },
      { where: "fleet", what: expect.stringContaining("ENOSPC"), next: "df -h ." },
    ],
    [
      { kind: "data-lost", database: "eu", at, savedAt: "2026-11-27T02:55:00.000Z" },
      {
        where: "eu",
        what: `the database of eu was lost at ${at}, and what was written after 2026-11-27T02:55:00.000Z with it`,
        next: "npx fleet acknowledge",
      },
    ],
    [
      { kind: "data-lost", database: "all", at, savedAt: null },
      {
        where: "fleet",
        what: `every database was lost at ${at}, and all that was in it with it`,
        next: "npx fleet acknowledge",
      },
    ],
  ])("tells of what only those know who started it: %o", (trouble, told) => {
    expect(judge({ ...well, troubles: ok([trouble]) })).toEqual([
      expect.objectContaining({ level: "ill", ...told }),
    ]);
  });

  it("takes a version back whose service keeps ending where the others run another one", () => {
    const other = { ...cell, id: "us", digest: ok("bb"), tenants: ok([]) };
    const trouble: Trouble = { kind: "keeps-ending", service: "sink-us", count: 3, last: "x", at };
    expect(judge({ ...well, cells: [cell, other], troubles: ok([trouble]) })[0]?.next).toBe(
      "npx fleet rollback us",
    );
  });

  it("notes what is degraded", () => {
    const degraded = ok({ ...service, status: "degraded", degraded: ["tracing: no collector"] });
    expect(judge(of({ api: degraded }))).toMatchObject([
      { level: "note", what: "the API is degraded: tracing: no collector" },
    ]);
  });

  it("is nothing when all is well, when nothing is asked for, and when a few of many requests fail", () => {
    for (const facts of [
      well,
      of({ api: traffic(19, 19) }),
      of({ api: traffic(1_000, 20) }),
      of({ api: ok({ ...service, traffic: undefined }) }),
      of({ sink: undefined }),
      { ...well, directory: undefined, warehouse: undefined },
    ])
      expect(judge(facts)).toEqual([]);
  });

  it.each<[string, FleetFacts, string, string, string, string]>([
    [
      "a dead API",
      of({ api: dead, digest: dead }),
      "eu",
      "the API does not answer (connection refused)",
      "cell-loss",
      "fleet logs eu",
    ],
    ["dead imports", of({ bulk: dead }), "eu", "imports are not served", "cell-loss", "--service bulk"],
    [
      "an unreachable database",
      of({ api: ok({ ...service, unavailable: ["firestore/main"] }) }),
      "eu",
      "the API does not reach firestore/main",
      "cell-loss",
      "fleet logs eu",
    ],
    [
      "a dead database, told once",
      of({ tenants: dead, replica: dead }),
      "eu",
      "its databases could not be read",
      "cell-loss",
      "fleet logs eu",
    ],
    [
      "a dead market database",
      of({ replica: dead }),
      "eu",
      "market values could not be read",
      "cell-loss",
      "fleet logs eu",
    ],
    [
      "failures",
      of({ api: traffic(1_000, 21) }),
      "eu",
      "21 of 1000 API requests failed in 5 minutes",
      "bad-deploy",
      "--grep",
    ],
    [
      "a lagging replica",
      of({ replica: ok({ sequence: 7, ageSeconds: 61 }) }),
      "eu",
      "lag 61 s behind the centre; allowed are 60 s",
      "cell-loss",
      "--service replicate",
    ],
    [
      "an empty replica",
      of({ replica: ok({ sequence: 0, ageSeconds: null }) }),
      "eu",
      "never equalled",
      "cell-loss",
      "--service replicate",
    ],
    ["a dead sink", of({ sink: dead }), "eu", "the sink does not answer", "cell-loss", "--service sink"],
    [
      "a sink that stopped",
      of({ sink: ok([{ ...outbox, state: "degraded", reason: "stopped: offsets" }]) }),
      "eu",
      "main is not carried: stopped: offsets",
      "cell-loss",
      "analytics resume --cell eu",
    ],
    [
      "old events",
      of({ sink: ok([{ ...outbox, oldestSeconds: 901, waitingPages: 4 }]) }),
      "eu",
      "wait for 901 s (4 pages)",
      "cell-loss",
      "--service sink",
    ],
    [
      "a tenant without claim",
      of({ tenants: ok([{ tenantId: "carrier-a", claim: undefined, imports: 0 }]) }),
      "eu",
      "carrier-a has no claim",
      "restore",
      "tenants list",
    ],
    [
      "an epoch that the registry does not know",
      claimed({ epoch: 4 }),
      "eu",
      "at epoch 4, the registry says eu at epoch 3",
      "directory-loss",
      "tenants list",
    ],
    [
      "a dead router",
      { ...well, router: dead },
      "fleet",
      "the router does not answer",
      "directory-loss",
      "logs router",
    ],
    [
      "a dead registry",
      { ...well, registry: dead },
      "fleet",
      "cells serve without it",
      "directory-loss",
      "logs central",
    ],
    [
      "an unreadable directory",
      { ...well, directory: dead },
      "fleet",
      "the directory could not be read",
      "directory-loss",
      "directory publish",
    ],
    [
      "an old directory",
      { ...well, directory: ok({ ...placed, version: 8 }) },
      "fleet",
      "version 8, the registry is at 9",
      "directory-loss",
      "directory publish",
    ],
    [
      "a directory with an old epoch",
      { ...well, directory: ok({ version: 9, tenants: { "carrier-a": { cellId: "eu", epoch: 2 } } }) },
      "fleet",
      "wrong about 1 tenants (carrier-a)",
      "directory-loss",
      "directory publish",
    ],
    [
      "a dead warehouse",
      { ...well, warehouse: dead },
      "fleet",
      "outboxes keep what it misses",
      "analytics",
      "logs warehouse",
    ],
  ])("finds %s", (_, facts, where, what, runbook, next) => {
    const found = judge(facts).filter((f) => f.level === "ill");
    expect(found).toHaveLength(1);
    expect(found[0]).toMatchObject({ where, what: expect.stringContaining(what) });
    expect(found[0]?.runbook).toContain(`/${runbook}.md`);
    expect(found[0]?.next).toMatch(/^npx fleet /);
    expect(found[0]?.next).toContain(next);
  });

  it("notes a move, two versions and pages set aside, and calls none of them ill", () => {
    const facts: FleetFacts = {
      ...claimed({ state: "fenced", epoch: 3 }),
    };
    expect(judge(facts)).toMatchObject([{ level: "note", what: "tenant carrier-a is fenced" }]);
    expect(
      judge({ ...well, cells: [cell, { ...cell, id: "us", digest: ok("bb"), tenants: ok([]) }] }),
    ).toMatchObject([
      { level: "note", where: "fleet", what: "not all cells run the same artefact: eu aa; us bb" },
    ]);
    expect(judge(of({ sink: ok([{ ...outbox, setAside: 2 }]) }))).toMatchObject([{ level: "note" }]);
  });

  it("hides nothing behind the first thing, and puts what is ill first", () => {
    const facts: FleetFacts = {
      ...well,
      router: dead,
      warehouse: dead,
      cells: [
        { ...cell, sink: ok([{ ...outbox, setAside: 1 }]) },
        { ...cell, id: "us", api: dead, tenants: ok([]) },
      ],
    };
    expect(judge(facts).map((f) => [f.level, f.where])).toEqual([
      ["ill", "us"],
      ["ill", "fleet"],
      ["ill", "fleet"],
      ["note", "eu"],
    ]);
  });
});
