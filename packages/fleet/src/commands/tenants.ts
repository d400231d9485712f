import { type AddTenant, listTenants } from "@proveniq/control-plane";
import { Command } from "commander";
import { command, list, shapes } from "../cli/options.ts";
import type { Where } from "../cli/where.ts";
import { type Output, report } from "../output/print.ts";
import { table } from "../output/table.ts";
import { setCommand } from "./tenants-set.ts";

interface CommonOptions {
  json?: boolean;
}

interface AddOptions extends CommonOptions {
  cell: string;
  database?: string;
  name?: string;
  host?: string[];
}

/** `fleet tenants …`: the registry. */
export function tenantsCommand(output: Output, where: Where): Command {
  const tenants = new Command("tenants").description(
    "list, add and remove tenants, and change their settings",
  );
  tenants.addCommand(listCommand(output, where));
  tenants.addCommand(addCommand(output, where));
  tenants.addCommand(setCommand(output, where));
  tenants.addCommand(removeCommand(output, where));
  return tenants;
}

function listCommand(output: Output, where: Where): Command {
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
    .action(async (options: CommonOptions) => {
      const tenants = await where.read(({ connections }) => listTenants(connections));
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

function addCommand(output: Output, where: Where): Command {
  return command(
    "add",
    "add a tenant to a cell; routers know it once the directory is published: here that is done at once",
    [
      "fleet tenants add carrier-b --cell enterprise-a --name 'Carrier B' --host carrier-b.proveniq.io",
      "fleet tenants add galerie-west --cell eu --database eu-partners",
      "fleet tenants add galerie-west --cell eu --env production --confirm galerie-west",
    ],
  )
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
    .action(async (id: string, options: AddOptions) => {
      const wanted: AddTenant = {
        tenantId: id,
        name: options.name ?? id,
        cellId: options.cell,
        hosts: options.host ?? [],
        ...(options.database === undefined ? {} : { databaseId: options.database }),
      };
      const change = { what: `Add tenant ${id} to cell ${options.cell}`, name: id };
      const { placement, added, next } = await where.mutate(change, (environment, by) =>
        environment.addTenant(wanted, by),
      );
      report(output, options.json, { tenant: placement, added }, () =>
        [
          `${added ? "Added" : "Was there already:"} tenant ${id} in cell ${placement.cellId}, database ${placement.databaseId}.`,
          ...next,
          `Give it a key: npx fleet keys create ${id} --scope items:read,items:write${where.suffix}`,
        ].join("\n"),
      );
    });
}

function removeCommand(output: Output, where: Where): Command {
  return command("remove", "take out a tenant that has no items and no open imports", [
    "fleet tenants remove galerie-west",
    "fleet tenants remove galerie-west --env production --confirm galerie-west",
  ])
    .argument("<id>", "the tenant")
    .addHelpText(
      "after",
      "\nIts keys, settings and reports go too. What was cut off half-way is done again. Added again it is a new tenant under a" +
        "\ngreater epoch.",
    )
    .addHelpText("after", shapes('{"removed": "…"}'))
    .action(async (id: string, options: CommonOptions) => {
      const next = await where.mutate({ what: `Remove tenant ${id}`, name: id }, (environment, by) =>
        environment.removeTenant(id, by),
      );
      report(output, options.json, { removed: id }, () => [`Removed tenant ${id}.`, ...next].join("\n"));
    });
}
