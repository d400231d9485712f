import type { TenantSettings } from "@proveniq/contracts";
import { getTenantSettings, setTenantSettings } from "@proveniq/control-plane/access";
import { type Command, InvalidArgumentError } from "commander";
import { command, list, shapes, wholeNumber } from "../cli/options.ts";
import type { Where } from "../cli/where.ts";
import { type Output, report } from "../output/print.ts";
import { table } from "../output/table.ts";

interface SetOptions {
  origin?: string[];
  requestsPerSecond?: number | null;
  identityTenant?: string | null;
  issuer?: string | null;
  json?: boolean;
}

/** `fleet tenants set`: what a tenant decides about itself; without options, shows it. */
export function setCommand(output: Output, where: Where): Command {
  return command("set", "change a tenant's settings; without options, show them", [
    "fleet tenants set carrier-a",
    "fleet tenants set carrier-a --origin https://app.carrier-a.example --requests-per-second 500",
    "fleet tenants set carrier-a --identity-tenant carrier-a-x1y2z",
    "fleet tenants set carrier-a --identity-tenant none --origin none",
  ])
    .argument("<id>", "the tenant")
    .option(
      "--origin <origins>",
      "browser origins that may read its answers, all of them; none: no origin",
      list,
    )
    .option("--requests-per-second <n>", "its quota instead of the cell's; none: the cell's", orNone(quota))
    .option(
      "--identity-tenant <id>",
      "the Identity Platform tenant that its people sign in to; none: no such",
      orNone(),
    )
    .option("--issuer <url>", "which of its cell's issuers signs them in; none: the first", orNone())
    .addHelpText("after", "\nIts cell follows within ten seconds.")
    .addHelpText(
      "after",
      shapes('{"tenantId": "…", "settings": {issuer, identityTenant, origins, requestsPerSecond}}'),
    )
    .action(async (tenantId: string, options: SetOptions) => {
      const change = changeOf(options);
      const names = Object.keys(change);
      const settings =
        names.length === 0
          ? await where.read(({ connections }) => getTenantSettings(connections, tenantId))
          : await where.mutate(
              { what: `Set ${names.join(", ")} of tenant ${tenantId}`, name: tenantId },
              (on, by) => setTenantSettings(on.connections, on, tenantId, change, by),
            );
      report(output, options.json, { tenantId, settings }, () =>
        table(
          Object.entries(settings).map(([name, value]) => [
            name,
            Array.isArray(value) ? value.join(", ") || "none" : String(value ?? "none"),
          ]),
        ),
      );
    });
}

function changeOf({
  origin,
  requestsPerSecond,
  identityTenant,
  issuer,
}: SetOptions): Partial<TenantSettings> {
  return {
    ...(origin === undefined ? {} : { origins: origin.filter((o) => o !== "none") }),
    ...(requestsPerSecond === undefined ? {} : { requestsPerSecond }),
    ...(identityTenant === undefined ? {} : { identityTenant }),
    ...(issuer === undefined ? {} : { issuer }),
  };
}

const quota = wholeNumber("a number of requests", 1, 100_000);

/** A parser that also takes `none`, as null. */
function orNone<T>(
  parse: (text: string) => T | string = (text) => text,
): (text: string) => T | string | null {
  return (text) => {
    if (text === "") throw new InvalidArgumentError("It must not be empty; `none` takes the setting away.");
    return text === "none" ? null : parse(text);
  };
}
