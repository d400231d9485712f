import { type AddTenant, addTenant, listTenants } from "@proveniq/control-plane";
import { Command } from "commander";
import { command, jsonOption, list, shapes, stateDirOption } from "../cli/options.ts";
import {
  operator,
  type RegistryOptions,
  registryProjectOption,
  withCloud,
  withConnections,
  withRegistry,
} from "../cli/registry.ts";
import { type Output, report } from "../output/print.ts";
import { table } from "../output/table.ts";
import { setCommand } from "./tenants-set.ts";

interface CommonOptions extends RegistryOptions {
  json?: boolean;
}

interface AddOptions extends CommonOptions {
  cell: string;
  database?: string;
  name?: string;
  host?: string[];
}

/** `fleet tenants …`: the registry. */
export function tenantsCommand(output: Output): Command {
  const tenants = new Command("tenants").description("list and add tenants, and change their settings");
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
    .addOption(registryProjectOption())
    .addOption(jsonOption())
    .addOption(stateDirOption())
    .action(async (options: CommonOptions) => {
      const tenants = await withConnections(options, listTenants);
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
  return command(
    "add",
    "add a tenant to a cell; routers know it once the directory is published: here that is done at once",
    [
      "fleet tenants add carrier-b --cell enterprise-a --name 'Carrier B' --host carrier-b.proveniq.io",
      "fleet tenants add galerie-west --cell eu --database eu-partners",
      "fleet tenants add galerie-west --cell eu --project proveniq-central",
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
    .addOption(registryProjectOption())
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
      const { placement, added, notes } = await addTo(options, wanted);
      report(output, options.json, { tenant: placement, added }, () =>
        [
          `${added ? "Added" : "Was there already:"} tenant ${id} in cell ${placement.cellId}, database ${placement.databaseId}.`,
          ...notes,
        ].join("\n"),
      );
    });
}

/** Add a tenant where it is meant to be; `notes` say what to do next there. */
async function addTo({ project, ...local }: RegistryOptions, wanted: AddTenant) {
  const giveKey = `npx fleet keys create ${wanted.tenantId} --scope items:read,items:write`;
  if (project === undefined) {
    return withRegistry(local, async (registry) => ({
      ...(await registry.add(wanted)),
      notes: [
        ...(wanted.hosts ?? []).map((host) => `Its host ${host} is ${registry.urlOf(host)} on this machine.`),
        `Give it a key: ${giveKey}`,
      ],
    }));
  }
  return withCloud(project, async (connections, fleet) => ({
    ...(await addTenant(connections, fleet, wanted, operator())),
    notes: [
      `Let routers know: npx fleet directory publish --project ${project} --to <target>`,
      `Give it a key: ${giveKey} --project ${project}`,
    ],
  }));
}
