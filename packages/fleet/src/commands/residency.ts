import { listTenants } from "@proveniq/control-plane";
import { auditResidency } from "@proveniq/control-plane/residency";
import { Command } from "commander";
import { CommandError, exitCodes } from "../cli/errors.ts";
import { command, shapes } from "../cli/options.ts";
import type { Where } from "../cli/where.ts";
import { type Output, report } from "../output/print.ts";
import { table } from "../output/table.ts";

interface AuditOptions {
  all?: boolean;
  json?: boolean;
}

/** `fleet residency …`: where tenants' data is, and where that is laid down. */
export function residencyCommand(output: Output, where: Where): Command {
  return new Command("residency")
    .description("the evidence of where tenants' data is")
    .addCommand(auditCommand(output, where));
}

function auditCommand(output: Output, where: Where): Command {
  return command(
    "audit",
    "every place that a tenant's data is in or passes, and where that is declared; 1 on any breach",
    [
      "fleet residency audit atelier-nord",
      "fleet residency audit --all --env production",
      "fleet residency audit --all --json | jq '.audits[].evidence[] | select(.breach)'",
    ],
  )
    .argument("[tenant]", "whose data")
    .option("--all", "every tenant of the registry")
    .addHelpText(
      "after",
      "\nIt says what the registry, infra/fleet.json, manifests and Terraform declare. What a cloud really holds is told by a" +
        "\nplan without changes: see docs/runbooks/residency-breach.md.",
    )
    .addHelpText(
      "after",
      shapes(
        '{"audits": [{tenantId, residency, cell, evidence: [{what, name, location, declaredIn, resource, breach}]}], "breaches"}',
      ),
    )
    .action(async (tenant: string | undefined, options: AuditOptions) => {
      if ((tenant === undefined) === (options.all !== true))
        throw new CommandError("Name one tenant, or --all.", exitCodes.usage);
      const fleet = await where.fleet();
      const placements = await where.read(async ({ connections, hostOfClients }) =>
        // The registry of one machine holds this machine's names for hosts.
        (await listTenants(connections)).map((p) => ({ ...p, hosts: p.hosts.map(hostOfClients) })),
      );
      const meant = placements.filter((p) => tenant === undefined || p.tenantId === tenant);
      if (meant.length === 0)
        throw new CommandError(`There is no tenant "${tenant}". \`fleet tenants list\` names them.`);
      const audits = meant.map((placement) => auditResidency(placement, fleet));
      const breaches = audits.flatMap((a) => a.evidence).filter((e) => e.breach !== null).length;
      report(output, options.json, { audits, breaches }, () =>
        [
          ...audits.map((audit) =>
            [
              `${audit.tenantId}: promised "${audit.residency}", in cell ${audit.cell}`,
              table(
                audit.evidence.map((e) => [
                  e.breach === null ? "ok" : "BREACH",
                  e.what,
                  e.name,
                  e.location ?? "-",
                  e.breach ?? e.declaredIn,
                ]),
                "  ",
              ),
            ].join("\n"),
          ),
          breaches === 0
            ? "No breach is declared."
            : `${breaches} breaches. Next: docs/runbooks/residency-breach.md`,
        ].join("\n\n"),
      );
      if (breaches > 0) process.exitCode = exitCodes.failed;
    });
}
