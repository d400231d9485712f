import { isInside, type Placement, type Residency } from "@proveniq/contracts";
import type { Fleet } from "../fleet/load.ts";
import {
  codeLines,
  directoryLine,
  doorLogs,
  identityLines,
  issuerLines,
  projectLines,
  secretLines,
  warehouseLines,
  watchingLines,
} from "./beside.ts";
import type { Evidence } from "./evidence.ts";
import { dayOf } from "./identity.ts";
import { cellLines, frontLines, registryLine } from "./places.ts";

export interface ResidencyAudit {
  tenantId: string;
  residency: Residency;
  cell: string;
  evidence: Evidence[];
}

/**
 * Where everything of one tenant is, as the registry and the repository declare it: not what was observed in a cloud. A test
 * holds each line to the plan that Terraform makes of the same files. Pure.
 */
export function auditResidency(
  placement: Placement,
  { config, manifests }: Fleet,
  today = dayOf(new Date()),
): ResidencyAudit {
  const { tenantId, residency, cellId: cell, databaseId } = placement;
  const manifest = Object.hasOwn(manifests, cell) ? manifests[cell] : undefined;
  const audit = { tenantId, residency, cell };
  if (manifest === undefined) {
    const breach = `the registry places it in ${cell}, and there is no such cell`;
    return { ...audit, evidence: [{ ...registryLine(placement), breach }] };
  }
  const evidence = [
    registryLine(placement, manifest),
    ...frontLines(placement, manifest, { config, manifests }),
    ...cellLines(cell, manifest, databaseId),
    ...projectLines(manifest, { config, manifests }),
    ...doorLogs(manifest, { config, manifests }),
    ...watchingLines(manifest),
    ...secretLines(cell, manifest, { config, manifests }),
    ...codeLines(manifest, { config, manifests }),
    directoryLine(),
    ...warehouseLines(manifest, config),
    ...issuerLines(cell, manifest, today),
    ...identityLines(cell, manifest, databaseId),
  ];
  return {
    ...audit,
    evidence: evidence.map((line) => ({ ...line, breach: line.breach ?? outside(line, residency) })),
  };
}

/** Bound to a residency, data must not be, or pass, outside of it. */
function outside({ harmless, location }: Evidence, residency: Residency): string | null {
  if (residency === "global" || location === null || harmless !== null) return null;
  if (location === "global") return `it is global, and the promise is "${residency}"`;
  return isInside(location, residency) ? null : `${location} is outside "${residency}"`;
}
