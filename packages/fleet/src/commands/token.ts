import { listTenants } from "@proveniq/control-plane";
import { type FleetState, mintLocalToken } from "@proveniq/local-cloud/fleet";
import type { Command } from "commander";
import { parseDuration } from "../cli/duration.ts";
import { CommandError } from "../cli/errors.ts";
import { command, shapes } from "../cli/options.ts";
import { ofThisMachine, onThisMachine, type Where } from "../cli/where.ts";
import { type Output, report } from "../output/print.ts";

interface TokenOptions {
  as: string;
  tenant?: string;
  cell?: string;
  staff?: boolean;
  identityTenant?: string;
  expires?: number;
  json?: boolean;
}

/** `fleet token`: be somebody, on this machine. */
export function tokenCommand(output: Output, where: Where): Command {
  return ofThisMachine(
    command("token", "sign a person's token with the development issuer; good on this machine only", [
      "fleet token --as alice                          a consumer of Cell 0",
      "fleet token --as anna --tenant carrier-a        one of a partner's people: sees what is hers",
      "fleet token --as sven --tenant carrier-a --staff    sees the whole book",
      'curl -H "authorization: Bearer $(npx fleet token --as alice)" http://localhost:8080/v1/me',
    ]),
  )
    .requiredOption("--as <subject>", "who it is; what they register belongs to this id")
    .option("--tenant <id>", "whose people they are (default: consumers, who name no tenant)")
    .option("--cell <id>", "the cell whose consumers they are (default: Cell 0)", undefined)
    .option("--staff", "give them the staff role of the tenant")
    .option("--identity-tenant <id>", "Identity Platform's id of the tenant they signed in to")
    .option("--expires <duration>", "how long it is good, such as 15m (default: 1h)", parseDuration)
    .addHelpText("after", shapes('{"token": "…"}'))
    .action(async (options: TokenOptions) => {
      if (options.staff === true && options.tenant === undefined) {
        throw new CommandError("Staff are a tenant's: name it with --tenant.");
      }
      const token = await onThisMachine(where, async ({ config, connections, state }) => {
        const cell = await cellOf(
          options,
          state,
          async (tenant) => (await listTenants(connections)).find((p) => p.tenantId === tenant)?.cellId,
        );
        return mintLocalToken(state, {
          subject: options.as,
          cell: cell ?? config.defaults.global.cell,
          ...(options.tenant === undefined ? {} : { tenant: options.tenant }),
          ...(options.staff === undefined ? {} : { staff: options.staff }),
          ...(options.identityTenant === undefined ? {} : { identityTenant: options.identityTenant }),
          ...(options.expires === undefined ? {} : { lifetime: options.expires }),
        });
      });
      report(output, options.json, { token }, () => token);
    });
}

async function cellOf(
  { cell, tenant }: TokenOptions,
  state: FleetState,
  placeOf: (tenant: string) => Promise<string | undefined>,
): Promise<string | undefined> {
  const wanted = cell ?? (tenant === undefined ? undefined : await placeOf(tenant));
  if (wanted === undefined && tenant !== undefined) {
    throw new CommandError(`There is no tenant "${tenant}"; see \`fleet tenants list\`.`);
  }
  if (wanted !== undefined && !Object.hasOwn(state.cells, wanted)) {
    throw new CommandError(
      `No cell "${wanted}" runs here; there are ${Object.keys(state.cells).join(", ")}.`,
    );
  }
  return wanted;
}
