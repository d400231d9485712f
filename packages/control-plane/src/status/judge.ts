import type { Pausable } from "@proveniq/contracts";
import type { UsedDirectory } from "../directory/publish.ts";
import { judgeTroubles } from "./troubles.ts";
import type {
  CellFacts,
  Finding,
  FleetFacts,
  PlacedTenants,
  Probe,
  PublishedPlaces,
  ServiceReadiness,
} from "./types.ts";

/** From how many requests on a rate of failures says something, and which rate is ill. */
export const failureBounds = { requests: 20, rate: 0.02 };
/** Events that wait longer are an alarm, in seconds. */
export const outboxBoundSeconds = 900;

const page = (name: string) => `docs/runbooks/${name}.md`;

/**
 * What is wrong with the fleet, the worst first, and what to type; `suffix` is what commands about its environment end with. Pure.
 */
export function judge(facts: FleetFacts, suffix = ""): Finding[] {
  const mixed = digestsOf(facts.cells).size > 1;
  const found = [
    ...facts.cells.flatMap((cell) => judgeCell(cell, mixed)),
    ...judgeCentre(facts),
    ...judgeEpochs(facts),
    ...judgeTroubles((facts.troubles === undefined ? undefined : valueOf(facts.troubles)) ?? [], mixed),
  ];
  const sorted = [...found.filter((f) => f.level === "ill"), ...found.filter((f) => f.level === "note")];
  return sorted.map((f) => ({ ...f, next: `${f.next}${suffix}` }));
}

/** What each cell that answers runs. */
function digestsOf(cells: readonly CellFacts[]): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const { id, digest } of cells)
    if (digest.ok) found.set(digest.value, [...(found.get(digest.value) ?? []), id]);
  return found;
}

/** `mixed`: not all cells run the same artefact. */
function judgeCell(cell: CellFacts, mixed: boolean): Finding[] {
  const { id } = cell;
  const ill = (what: string, runbook: string, next: string): Finding => ({
    where: id,
    level: "ill",
    what,
    runbook,
    next,
  });
  const logs = `npx fleet logs ${id} --since 15m --level warn`;
  const found: Finding[] = [];
  if (!cell.api.ok) found.push(ill(`the API does not answer (${cell.api.error})`, page("cell-loss"), logs));
  else found.push(...judgeService(cell.api.value, "API"));
  if (!cell.bulk.ok)
    found.push(
      ill(`imports are not served (${cell.bulk.error})`, page("cell-loss"), `${logs} --service bulk`),
    );
  else found.push(...judgeService(cell.bulk.value, "import"));
  if (cell.api.ok && !cell.digest.ok)
    found.push(ill(`it does not say what runs in it (${cell.digest.error})`, page("bad-deploy"), logs));
  if (!cell.tenants.ok)
    found.push(ill(`its databases could not be read (${cell.tenants.error})`, page("cell-loss"), logs));
  else {
    for (const { tenantId, claim } of cell.tenants.value) {
      if (claim === undefined)
        found.push(ill(`tenant ${tenantId} has no claim`, page("restore"), `npx fleet tenants list`));
      else if (claim.state === "moving" || claim.state === "fenced")
        found.push({
          ...ill(`tenant ${tenantId} is ${claim.state}`, page("directory-loss"), "npx fleet audit"),
          level: "note",
        });
    }
  }
  found.push(...judgeReplica(cell, ill, logs), ...judgeSink(cell, ill, logs), ...judgePauses(cell, ill));
  return found;

  function judgeService(ready: ServiceReadiness, name: string): Finding[] {
    const wrong: Finding[] = [];
    if (ready.unavailable.length > 0)
      wrong.push(ill(`the ${name} does not reach ${ready.unavailable.join(", ")}`, page("cell-loss"), logs));
    // Market values that are behind are judged by themselves.
    const degraded = ready.degraded.filter((each) => !each.startsWith("market"));
    if (degraded.length > 0)
      wrong.push({
        ...ill(`the ${name} is degraded: ${degraded.join("; ")}`, page("cell-loss"), logs),
        level: "note",
      });
    const { requests, failed, seconds } = ready.traffic ?? { requests: 0, failed: 0, seconds: 0 };
    if (requests >= failureBounds.requests && failed / requests > failureBounds.rate)
      wrong.push(
        ill(
          `${failed} of ${requests} ${name} requests failed in ${Math.round(seconds / 60)} minutes`,
          page("bad-deploy"),
          mixed ? `npx fleet rollback ${id}` : `${logs} --grep "request failed"`,
        ),
      );
    return wrong;
  }
}

type Ill = (what: string, runbook: string, next: string) => Finding;

const resume = (cell: string, what: Pausable) => `npx fleet resume ${cell} ${what}`;

/** What somebody wanted is no illness, but nobody may forget it. */
function judgePauses({ id, pauses }: CellFacts, ill: Ill): Finding[] {
  return (valueOf(pauses) ?? []).map(({ what, since, who, from, reason }) => ({
    ...ill(
      `${what} paused since ${since} by ${who} (${from}): ${reason}`,
      page("noisy-tenant"),
      resume(id, what),
    ),
    level: "note",
  }));
}

function isPaused({ pauses }: CellFacts, what: Pausable): boolean {
  return valueOf(pauses)?.some((p) => p.what === what) === true;
}

function judgeReplica(cell: CellFacts, ill: Ill, logs: string): Finding[] {
  const { replica, maxReplicaLagSeconds: allowed } = cell;
  // One dead database is told once.
  if (!replica.ok)
    return cell.tenants.ok
      ? [ill(`its market values could not be read (${replica.error})`, page("cell-loss"), logs)]
      : [];
  const { ageSeconds } = replica.value;
  if (ageSeconds !== null && ageSeconds <= allowed) return [];
  const age =
    ageSeconds === null ? "have never equalled the centre" : `lag ${ageSeconds} s behind the centre`;
  const next = isPaused(cell, "replicator") ? resume(cell.id, "replicator") : `${logs} --service replicate`;
  return [ill(`market values ${age}; allowed are ${allowed} s`, page("cell-loss"), next)];
}

function judgeSink(cell: CellFacts, ill: Ill, logs: string): Finding[] {
  const { sink, id } = cell;
  const guide = page("cell-loss");
  if (sink === undefined) return [];
  if (!sink.ok) return [ill(`the sink does not answer (${sink.error})`, guide, `${logs} --service sink`)];
  return sink.value.flatMap(({ database, state, reason, oldestSeconds, waitingPages, setAside }) => {
    const found: Finding[] = [];
    if (state !== "ready" && state !== "paused") {
      const next =
        reason?.startsWith("stopped") === true
          ? `npx fleet analytics resume --cell ${id}`
          : `${logs} --service sink`;
      found.push(ill(`the outbox of ${database} is not carried: ${reason ?? state}`, guide, next));
    } else if (oldestSeconds > outboxBoundSeconds)
      found.push(
        ill(
          `events of ${database} wait for ${oldestSeconds} s (${waitingPages} pages)`,
          guide,
          isPaused(cell, "sink") ? resume(id, "sink") : `${logs} --service sink`,
        ),
      );
    if (setAside > 0)
      found.push({
        ...ill(`${setAside} pages of ${database} are set aside`, guide, "npx fleet analytics aside"),
        level: "note",
      });
    return found;
  });
}

function judgeCentre({ router, registry, directory, used, warehouse, cells }: FleetFacts): Finding[] {
  const ill = (what: string, runbook: string, next: string): Finding => ({
    where: "fleet",
    level: "ill",
    what,
    runbook,
    next,
  });
  const found: Finding[] = [];
  if (!router.ok)
    found.push(
      ill(
        `the router does not answer (${router.error})`,
        page("directory-loss"),
        "npx fleet logs router --since 15m",
      ),
    );
  if (!registry.ok)
    found.push(
      ill(
        `the registry could not be read (${registry.error}); cells serve without it`,
        page("directory-loss"),
        "npx fleet logs central --since 15m",
      ),
    );
  if (directory !== undefined && !directory.ok)
    found.push(
      ill(
        `the directory could not be read (${directory.error})`,
        page("directory-loss"),
        "npx fleet directory publish",
      ),
    );
  if (registry.ok && directory?.ok === true) {
    const stale =
      staleness(registry.value, directory.value) ??
      unused(directory.value, used === undefined ? undefined : valueOf(used));
    if (stale !== undefined) found.push(ill(stale, page("directory-loss"), "npx fleet directory publish"));
  }
  if (warehouse?.ok === false)
    found.push(
      ill(
        `the warehouse does not answer (${warehouse.error}); outboxes keep what it misses`,
        "docs/analytics.md",
        "npx fleet logs warehouse --since 15m",
      ),
    );
  const digests = [...digestsOf(cells)];
  if (digests.length > 1) {
    const told = digests.map(([digest, ids]) => `${ids.join(", ")} ${digest.slice(0, 12)}`);
    found.push({
      ...ill(
        `not all cells run the same artefact: ${told.join("; ")}`,
        page("bad-deploy"),
        "npx fleet deploy --status",
      ),
      level: "note",
    });
  }
  return found;
}

/** How the directory that routers read is behind the registry; undefined when it is not. */
function staleness(registry: PlacedTenants, directory: PublishedPlaces): string | undefined {
  const wrong = Object.entries(registry.tenants).filter(([tenant, { cellId, epoch }]) => {
    const told = directory.tenants[tenant];
    return told === undefined || told.cellId !== cellId || told.epoch !== epoch;
  });
  const strangers = Object.keys(directory.tenants).filter((t) => !Object.hasOwn(registry.tenants, t));
  const { astray = [] } = directory;
  if (wrong.length + strangers.length === 0 && directory.version >= registry.version)
    return astray.length === 0
      ? undefined
      : `the directory is not as the registry and infra/ say: ${astray.slice(0, 3).join(", ")}`;
  if (strangers.length > 0 && wrong.length === 0)
    return `the directory names ${strangers.length} tenants that the registry does not know (${strangers.slice(0, 3).join(", ")})`;
  const whose = wrong.slice(0, 3).map(([tenant]) => tenant);
  const tenants =
    wrong.length === 0 ? "" : `, and is wrong about ${wrong.length} tenants (${whose.join(", ")})`;
  return `routers read directory version ${directory.version}, the registry is at ${registry.version}${tenants}`;
}

/** How the router uses something else than the target holds; undefined when it does not, or cannot be asked. */
function unused(directory: PublishedPlaces, used: UsedDirectory | undefined): string | undefined {
  if (used === undefined) return undefined;
  const { version, digest } = used;
  if (version !== directory.version)
    return `the router uses directory version ${version}, and not version ${directory.version}, which is published`;
  if (digest === null || directory.digest === undefined || digest === directory.digest) return undefined;
  return `the router uses another directory of version ${version} than is published`;
}

/** Claims that contradict the registry. Both epochs move together but for a moment in a tenant's move. */
function judgeEpochs({ cells, registry }: FleetFacts): Finding[] {
  if (!registry.ok) return [];
  const placed = registry.value.tenants;
  return cells.flatMap(({ id, tenants }) => {
    const claims = valueOf(tenants)?.flatMap(({ claim }) => claim ?? []) ?? [];
    return claims.flatMap(({ tenantId, epoch, state }): Finding[] => {
      const place = placed[tenantId];
      if (state === "moved" || (place?.cellId === id && place.epoch === epoch)) return [];
      const told = place === undefined ? "does not know it" : `says ${place.cellId} at epoch ${place.epoch}`;
      return [
        {
          where: id,
          level: state === "active" ? "ill" : "note",
          what: `tenant ${tenantId} is ${state} here at epoch ${epoch}, the registry ${told}`,
          runbook: page("directory-loss"),
          next: "npx fleet tenants list",
        },
      ];
    });
  });
}

function valueOf<T>(probe: Probe<T>): T | undefined {
  return probe.ok ? probe.value : undefined;
}
