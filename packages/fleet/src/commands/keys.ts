import { type Scope, scope } from "@proveniq/contracts";
import { createKey, type KeySummary, listKeys, revokeKey } from "@proveniq/control-plane/access";
import { Command, InvalidArgumentError } from "commander";
import { parseDuration } from "../cli/duration.ts";
import { command, list, shapes } from "../cli/options.ts";
import type { Where } from "../cli/where.ts";
import { type Output, report } from "../output/print.ts";
import { table } from "../output/table.ts";

interface CommonOptions {
  json?: boolean;
}

interface CreateOptions extends CommonOptions {
  scope: Scope[];
  label?: string;
  expires?: number;
}

const keyShape = "{keyId, tenantId, environment, label, scopes, createdAt, expiresAt, revokedAt, state}";

/** `fleet keys …`: partners' API keys. */
export function keysCommand(output: Output, where: Where): Command {
  return new Command("keys")
    .description("create, list and revoke partners' API keys")
    .addCommand(createCommand(output, where))
    .addCommand(listCommand(output, where))
    .addCommand(revokeCommand(output, where));
}

function createCommand(output: Output, where: Where): Command {
  return command("create", "make a key for a tenant; it is shown once and kept nowhere", [
    "fleet keys create carrier-a --scope items:read,items:write --label 'Policy system'",
    "fleet keys create carrier-a --scope imports --expires 90d",
    "fleet keys create carrier-a --scope items:read --env production --confirm carrier-a",
    'curl -H "authorization: Bearer $(npx fleet keys create carrier-a --scope items:read --json | jq -r .key)" http://localhost:8080/v1/me',
  ])
    .argument("<tenant>", "whose key it is")
    .requiredOption("--scope <scopes>", `what it may do: ${scope.options.join(", ")}`, scopes)
    .option("--label <text>", "for people (default: the day it was made)")
    .option(
      "--expires <duration>",
      "how long it lives, such as 90d (default: until it is revoked)",
      parseDuration,
    )
    .addHelpText("after", "\nTo rotate: create a second key, put it into use, then revoke the first.")
    .addHelpText("after", shapes(`{"key": "pvq_…", "summary": ${keyShape}}`))
    .action(async (tenantId: string, options: CreateOptions) => {
      const now = new Date();
      const { label = `Made on ${now.toISOString().slice(0, 10)}`, expires } = options;
      const expiresAt = expires === undefined ? null : new Date(now.getTime() + expires * 1000);
      const wanted = { tenantId, label, scopes: options.scope, expiresAt };
      const change = { what: `Create a key of tenant ${tenantId}`, name: tenantId };
      const created = await where.mutate(change, ({ connections, keys }, by) =>
        createKey(connections, keys, wanted, by),
      );
      report(output, options.json, created, () =>
        [
          created.key,
          "",
          `Key ${created.summary.keyId} of ${tenantId}: ${created.summary.scopes.join(", ")}; ${endOf(created.summary)}.`,
          "Keep it now: only a hash of it was stored, and it cannot be shown again.",
        ].join("\n"),
      );
    });
}

function listCommand(output: Output, where: Where): Command {
  return command("list", "every key that a tenant has or had; never the secrets", [
    "fleet keys list carrier-a",
  ])
    .argument("<tenant>", "whose keys")
    .addHelpText("after", shapes(`{"keys": [${keyShape}]}`))
    .action(async (tenantId: string, options: CommonOptions) => {
      const keys = await where.read(({ connections }) => listKeys(connections, tenantId));
      report(output, options.json, { keys }, () =>
        table([
          ["KEY", "STATE", "SCOPES", "CREATED", "ENDS", "LABEL"],
          ...keys.map((k) => [k.keyId, k.state, k.scopes.join(","), k.createdAt, endOf(k), k.label]),
        ]),
      );
    });
}

function revokeCommand(output: Output, where: Where): Command {
  return command("revoke", "refuse a key for good, within ten seconds", [
    "fleet keys revoke carrier-a k3f9x0ab",
  ])
    .argument("<tenant>", "whose key")
    .argument("<key>", "its id: the eight characters after the tenant")
    .addHelpText("after", shapes(`{"revoked": ${keyShape}}`))
    .action(async (tenantId: string, keyId: string, options: CommonOptions) => {
      const change = { what: `Revoke key ${keyId} of tenant ${tenantId}`, name: tenantId };
      const revoked = await where.mutate(change, ({ connections }, by) =>
        revokeKey(connections, tenantId, keyId, by),
      );
      report(
        output,
        options.json,
        { revoked },
        () => `Key ${keyId} of ${tenantId} was revoked at ${revoked.revokedAt}.`,
      );
    });
}

function endOf(key: KeySummary): string {
  return key.expiresAt === null ? "lives until revoked" : `until ${key.expiresAt}`;
}

function scopes(text: string, before: Scope[] | undefined): Scope[] {
  return list(text, before).map((name) => {
    const parsed = scope.safeParse(name);
    if (parsed.success) return parsed.data;
    throw new InvalidArgumentError(`Scopes are ${scope.options.join(", ")}.`);
  });
}
