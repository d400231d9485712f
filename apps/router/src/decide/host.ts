import type { HostRule, HostTable } from "@proveniq/tenant-context/directory";

/** The rule of the host that a Host header names (any case, with or without a port) and its plain name. */
export function findHost(table: HostTable, header: string): { rule: HostRule; name: string } | undefined {
  const exact = table.hosts.get(header);
  if (exact !== undefined) return { rule: exact, name: header };
  const name = withoutPort(header).toLowerCase();
  const rule = table.hosts.get(name);
  return rule === undefined ? undefined : { rule, name };
}

/** Whatever follows the colon must be digits, or nothing. */
function withoutPort(header: string): string {
  const colon = header.indexOf(":");
  if (colon === -1) return header;
  for (let i = colon + 1; i < header.length; i += 1) {
    const c = header.charCodeAt(i);
    if (c < 0x30 || c > 0x39) return header;
  }
  return header.slice(0, colon);
}
