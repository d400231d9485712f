import { listTenants } from "@proveniq/control-plane";
import { auditResidency, type Evidence } from "@proveniq/control-plane/residency";
import { Command } from "commander";
import { CommandError, exitCodes } from "../cli/errors.ts";
import { command, shapes } from "../cli/options.ts";
import type { Where } from "../cli/where.ts";
import { type Palette, palette } from "../output/colour.ts";
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
        '{"audits": [{tenantId, residency, cell, evidence: [{what, name, location, declaredIn, resource, harmless, exemption, breach}]}], "breaches", "exemptions"}',
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
      const all = audits.flatMap((a) => a.evidence);
      const breaches = all.filter((e) => e.breach !== null).length;
      const exemptions = [...new Set(all.flatMap((e) => e.exemption ?? []))];
      const paint = palette(process.stdout.isTTY && process.stdout.hasColors());
      report(output, options.json, { audits, breaches, exemptions }, () =>
        [
          ...audits.map((audit) =>
            [
              `${audit.tenantId}: promised "${audit.residency}", in cell ${audit.cell}`,
              table(
                audit.evidence.map((e) => lineOf(e, paint)),
                "  ",
              ),
            ].join("\n"),
          ),
          ...exemptions.map((exemption) => paint.red(`Outside, and ${exemption}`)),
          breaches === 0
            ? `No breach is declared${exemptions.length === 0 ? "" : ", beside what is exempted above"}.`
            : paint.red(`${breaches} breaches. Next: docs/runbooks/residency-breach.md`),
        ].join("\n\n"),
      );
      if (breaches > 0) process.exitCode = exitCodes.failed;
    });
}

/** One line of the table; what breaks the promise, exempted or not, in red. */
function lineOf(
  { what, name, location, declaredIn, harmless, exemption, breach }: Evidence,
  { red }: Palette,
): string[] {
  const where = location ?? "-";
  if (breach !== null) return ["BREACH", what, name, where, breach].map(red);
  if (exemption !== null) return ["EXEMPT", what, name, where, exemption].map(red);
  return ["ok", what, name, where, harmless === null ? declaredIn : `${declaredIn}: ${harmless}`];
}
