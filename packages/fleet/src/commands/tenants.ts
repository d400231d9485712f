import type { AddTenant } from "@proveniq/control-plane";
import { Command } from "commander";
import { command, jsonOption, list, shapes, stateDirOption } from "../cli/options.ts";
import { withRegistry } from "../cli/registry.ts";
import { type Output, report } from "../output/print.ts";
import { table } from "../output/table.ts";
import { setCommand } from "./tenants-set.ts";

interface CommonOptions {
  json?: boolean;
  stateDir?: string;
}

interface AddOptions extends CommonOptions {
  cell: string;
  database?: string;
  name?: string;
  host?: string[];
}

/** `fleet tenants …`: the registry of the fleet that runs here. */
export function tenantsCommand(output: Output): Command {
  const tenants = new Command("tenants").description(
    "list and add tenants of the fleet that runs here, and change their settings",
  );
  tenants.addCommand(listCommand(output));
  tenants.addCommand(addCommand(output));
  tenants.addCommand(setCommand(output));
  return tenants;
}

function listCommand(output: Output): Command {
  return command("list", "every tenant, its cell and its database", [
    "fleet tenants list",
    "fleet tenants list --json | jq -r '.tenants[].tenantId'",
  ])
    .addHelpText(
      "after",
      shapes(
        '{"tenants": [{tenantId, name, cellId, databaseId, epoch, residency, hosts, createdAt, updatedAt}]}',
      ),
    )
    .addOption(jsonOption())
    .addOption(stateDirOption())
    .action(async (options: CommonOptions) => {
      const tenants = await withRegistry(options, (registry) => registry.list());
      report(output, options.json, { tenants }, () =>
        table([
          ["TENANT", "CELL", "DATABASE", "RESIDENCY", "EPOCH", "HOSTS", "NAME"],
          ...tenants.map((t) => [
            t.tenantId,
            t.cellId,
            t.databaseId,
            t.residency,
            String(t.epoch),
            t.hosts.join(", ") || "-",
            t.name,
          ]),
        ]),
      );
    });
}

function addCommand(output: Output): Command {
  return command("add", "add a tenant to a cell; the router knows it a moment later", [
    "fleet tenants add carrier-b --cell enterprise-a --name 'Carrier B' --host carrier-b.proveniq.io",
    "fleet tenants add galerie-west --cell eu --database eu-partners",
  ])
    .argument("<id>", "3 to 40 lower-case letters, digits or hyphens")
    .requiredOption("--cell <id>", "the cell that gets it")
    .option("--database <id>", "one of the cell's databases (default: its first)")
    .option("--name <name>", "for people (default: the id)")
    .option(
      "--host <hosts>",
      "its own hosts, with commas between them; the local names follow from them",
      list,
    )
    .addHelpText("after", shapes('{"tenant": {tenantId, …}, "added": false when it was there already}'))
    .addOption(jsonOption())
    .addOption(stateDirOption())
    .action(async (id: string, options: AddOptions) => {
      const wanted: AddTenant = {
        tenantId: id,
        name: options.name ?? id,
        cellId: options.cell,
        hosts: options.host ?? [],
        ...(options.database === undefined ? {} : { databaseId: options.database }),
      };
      await withRegistry(options, async (registry) => {
        const { placement, added } = await registry.add(wanted);
        report(output, options.json, { tenant: placement, added }, () => {
          const verb = added ? "Added" : "Was there already:";
          return [
            `${verb} tenant ${id} in cell ${placement.cellId}, database ${placement.databaseId}.`,
            ...(wanted.hosts ?? []).map(
              (host) => `Its host ${host} is ${registry.urlOf(host)} on this machine.`,
            ),
            `Give it a key: npx fleet keys create ${id} --scope items:read,items:write`,
          ].join("\n");
        });
      });
    });
}
