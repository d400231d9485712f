import { listAudit } from "@proveniq/control-plane/access";
import type { Command } from "commander";
import { command, shapes } from "../cli/options.ts";
import type { Where } from "../cli/where.ts";
import { type Output, report } from "../output/print.ts";
import { table } from "../output/table.ts";

interface AuditOptions {
  tenant?: string;
  json?: boolean;
}

/** `fleet audit`: who changed what, when, and from where. */
export function auditCommand(output: Output, where: Where): Command {
  return command("audit", "every administrative change: who, what, when, from where; oldest first", [
    "fleet audit",
    "fleet audit --tenant carrier-a --json | jq '.records[] | select(.action == \"key.revoke\")'",
  ])
    .option("--tenant <id>", "only changes of this tenant")
    .addHelpText("after", shapes('{"records": [{at, who, from, action, target, detail}]}'))
    .action(async (options: AuditOptions) => {
      const records = await where.read((environment) =>
        listAudit(environment.connections, environment, options.tenant),
      );
      report(output, options.json, { records }, () =>
        table([
          ["WHEN", "WHO", "FROM", "WHAT", "WHOM", "DETAIL"],
          ...records.map((r) => [r.at, r.who, r.from, r.action, r.target, detailOf(r.detail)]),
        ]),
      );
    });
}

function detailOf(detail: Record<string, unknown>): string {
  return Object.entries(detail)
    .map(([name, value]) => `${name}=${String(value)}`)
    .join(" ");
}
