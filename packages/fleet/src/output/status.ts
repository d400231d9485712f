import type { CellFacts, Finding, FleetFacts, Probe } from "@proveniq/control-plane/status";
import type { Palette } from "./colour.ts";
import { table } from "./table.ts";

/** The fleet at a glance: first what is wrong and what to type, then every cell in a line. */
export function statusText(facts: FleetFacts, findings: readonly Finding[], paint: Palette): string {
  const ill = findings.filter((f) => f.level === "ill");
  const places = [...new Set(ill.map((f) => f.where))];
  const head = ill.length === 0 ? paint.green("The fleet is well.") : paint.red(`ILL: ${places.join(", ")}`);
  return [
    `${head} ${paint.dim(facts.at)}`,
    ...findings.map((f) =>
      [
        "",
        `${f.level === "ill" ? paint.red("ill ") : paint.yellow("note")} ${paint.bold(f.where)}: ${f.what}`,
        `     read  ${f.runbook}`,
        `     type  ${f.next}`,
      ].join("\n"),
    ),
    "",
    table([
      ["CELL", "ARTEFACT", "API", "BULK", "FAILED", "REPLICA LAG", "OUTBOX", "IMPORTS", "MOVES", "PAUSED"],
      ...facts.cells.map(row),
    ]),
    "",
    table([
      ["router", say(facts.router, () => "answers")],
      [
        "registry",
        say(facts.registry, (r) => `version ${r.version}, ${Object.keys(r.tenants).length} tenants`),
      ],
      [
        "directory",
        say(facts.directory, (d) => `version ${d.version}, ${Object.keys(d.tenants).length} tenants`),
      ],
      ["warehouse", say(facts.warehouse, () => "answers")],
    ]),
  ].join("\n");
}

function row(cell: CellFacts): string[] {
  return [
    cell.id,
    say(cell.digest, (digest) => digest.slice(0, 12)),
    say(cell.api, (ready) => ready.status),
    say(cell.bulk, (ready) => ready.status),
    say(cell.api, ({ traffic }) => (traffic === undefined ? "?" : `${traffic.failed}/${traffic.requests}`)),
    say(cell.replica, ({ ageSeconds }) => (ageSeconds === null ? "never" : `${ageSeconds} s`)),
    say(cell.sink, (boxes) => `${Math.max(0, ...boxes.map((b) => b.oldestSeconds))} s`),
    say(cell.tenants, (tenants) => String(tenants.reduce((sum, t) => sum + t.imports, 0))),
    say(cell.tenants, (tenants) =>
      String(tenants.filter((t) => t.claim?.state === "moving" || t.claim?.state === "fenced").length),
    ),
    say(cell.pauses, (pauses) => pauses.map((p) => p.what).join(", ") || "-"),
  ];
}

function say<T>(probe: Probe<T> | undefined, text: (value: T) => string): string {
  if (probe === undefined) return "-";
  return probe.ok ? text(probe.value) : "no answer";
}
