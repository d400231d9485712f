import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { root } from "../terraform.ts";
import type { Entry } from "./judge.ts";

const table = z.object({ methods: z.record(z.string(), z.array(z.string())) });
const listed = z.record(
  z.string(),
  z.strictObject({
    used: z.array(z.string()),
    besides: z.record(z.string().min(20), z.array(z.string()).min(1)),
  }),
);

/** modules/ci/permissions.json: what each kind of deployer, and the planner, may do, and why. */
export const permissions = listed.parse(
  JSON.parse(readFileSync(join(root, "infra/terraform/modules/ci/permissions.json"), "utf8")),
);

/** Of which list of permissions.json a request takes its right; undefined for persons. */
function kindOf({ caller = "", method = "" }: Entry): string | undefined {
  const [account = "", host = ""] = caller.split("@");
  if (!host.endsWith(".iam.gserviceaccount.com")) return undefined;
  if (account === "planner") return "planner";
  if (account === "deploy-edge") return method.startsWith("dns.") ? "records" : "doors";
  return account.startsWith("deploy-") ? "cells" : undefined;
}

/** What was asked for by each kind, permission by permission, as the stand-in's table has it. In other places than a role: budgets, states, artefacts. */
export function usedIn(log: readonly Entry[], controlPlane: string): Map<string, Set<string>> {
  const { methods } = table.parse(JSON.parse(readFileSync(join(controlPlane, "iam.json"), "utf8")));
  const used = new Map<string, Set<string>>();
  for (const entry of log) {
    const kind = kindOf(entry);
    if (kind === undefined || entry.kind === "refused") continue;
    const found = used.get(kind) ?? new Set();
    for (const p of methods[entry.method ?? ""] ?? []) {
      if (!/^(billing\.|storage\.objects\.)|workloadIdentityPool/.test(p)) found.add(p);
    }
    used.set(kind, found);
  }
  return used;
}

/** Where permissions.json and what was asked for differ, a line each. */
export function differences(used: ReadonlyMap<string, ReadonlySet<string>>): string[] {
  return Object.entries(permissions).flatMap(([kind, { used: said, besides }]) => {
    const asked = used.get(kind) ?? new Set();
    const reasons = new Set(Object.values(besides).flat());
    return [
      ...[...asked].filter((p) => !said.includes(p) && !reasons.has(p)).map((p) => `${kind} asked for ${p}`),
      ...said.filter((p) => !asked.has(p)).map((p) => `${kind} never asked for ${p}`),
      ...said.filter((p) => reasons.has(p)).map((p) => `${kind} has ${p} for two reasons`),
    ];
  });
}
