import { headers as names } from "@proveniq/contracts";
import type { RouteRequest } from "@proveniq/router/decide";
import { CommandError, exitCodes } from "../cli/errors.ts";

/**
 * What a router would see of a request. The target is taken as it was typed: parsing it as a URL would tidy up what a
 * router refuses. Throws when `url` is no http URL or a header is not `name: value`.
 */
export function requestOf(url: string, headers: readonly string[]): RouteRequest {
  const [, authority = "", target = ""] = /^https?:\/\/([^/?#@\s]+)([^#]*)/i.exec(url) ?? [];
  if (authority === "")
    throw new CommandError(`"${url}" is no URL such as https://api.proveniq.io/v1/items`, exitCodes.usage);
  const given = new Map<string, string[]>();
  for (const header of headers) {
    const [, name, value = ""] = /^([\w!#$%&'*+.^`|~-]+):\s*(.*?)\s*$/.exec(header) ?? [];
    if (name === undefined)
      throw new CommandError(`-H takes "name: value", and this is not: "${header}"`, exitCodes.usage);
    given.set(name.toLowerCase(), [...(given.get(name.toLowerCase()) ?? []), value]);
  }
  const tenants = given.get(names.tenant.toLowerCase());
  return {
    host: one(given, "host") ?? authority,
    path: target.startsWith("/") ? target : `/${target}`,
    tenantHeader: tenants?.length === 1 ? tenants[0] : tenants,
    authorization: one(given, "authorization"),
  };
}

function one(given: ReadonlyMap<string, string[]>, name: string): string | undefined {
  const values = given.get(name);
  if (values !== undefined && values.length > 1)
    throw new CommandError(`The header ${name} is given twice; a router refuses that.`, exitCodes.usage);
  return values?.[0];
}
