import { z } from "zod";

const matchRule = z.object({
  full_path_match: z.string().nullish(),
  prefix_match: z.string().nullish(),
  path_template_match: z.string().nullish(),
  header_matches: z.array(z.object({ header_name: z.string(), exact_match: z.string() })).default([]),
});

const routeRule = z.object({ priority: z.int(), service: z.string(), match_rules: z.array(matchRule) });

/** The part of `google_compute_url_map` and `google_compute_region_url_map` that this fleet uses, as Terraform plans it. */
export const urlMap = z.object({
  name: z.string(),
  default_service: z.string(),
  default_route_action: z.array(
    z.object({
      fault_injection_policy: z.array(
        z.object({ abort: z.array(z.object({ http_status: z.int(), percentage: z.number() })) }),
      ),
    }),
  ),
  host_rule: z.array(z.object({ hosts: z.array(z.string()), path_matcher: z.string() })),
  path_matcher: z.array(
    z.object({ name: z.string(), default_service: z.string(), route_rules: z.array(routeRule).default([]) }),
  ),
});
export type UrlMap = z.infer<typeof urlMap>;

export interface UrlMapRequest {
  host: string;
  /** With its query, as it was sent. */
  path: string;
  /** By lower-case name; a header that came more than once has more than one value. */
  headers: Readonly<Record<string, readonly string[]>>;
}

/** Where a load balancer sends a request, and by which of its rules. */
export type UrlMapDecision =
  | { kind: "service"; service: string; by: string }
  | { kind: "reject"; status: number; by: string };

/**
 * What the load balancer does with a request, by Google's rules: the host chooses a path matcher, its route rules are tried
 * by priority, and the first counts of which one match rule fits whole. Pure.
 *
 * @see https://cloud.google.com/load-balancing/docs/url-map-concepts
 */
export function routeByUrlMap(map: UrlMap, request: UrlMapRequest): UrlMapDecision {
  const host = request.host.toLowerCase().replace(/:\d*$/, "");
  const rule = map.host_rule.find(({ hosts }) => hosts.includes(host));
  if (rule === undefined) return byDefault(map);
  const matcher = map.path_matcher.find(({ name }) => name === rule.path_matcher);
  if (matcher === undefined) throw new Error(`${map.name}: there is no path matcher ${rule.path_matcher}`);
  const path = request.path.split("?", 1)[0] ?? "";
  for (const route of matcher.route_rules.toSorted((a, b) => a.priority - b.priority)) {
    const fits = route.match_rules.some(
      (m) =>
        pathFits(m, path) &&
        m.header_matches.every(
          // Values of a header that was sent twice are read as one, with a comma between.
          ({ header_name, exact_match }) => (request.headers[header_name] ?? []).join(",") === exact_match,
        ),
    );
    if (fits)
      return { kind: "service", service: route.service, by: `${matcher.name}, rule ${route.priority}` };
  }
  return { kind: "service", service: matcher.default_service, by: `${matcher.name}, default` };
}

function byDefault(map: UrlMap): UrlMapDecision {
  for (const { fault_injection_policy } of map.default_route_action) {
    for (const { http_status, percentage } of fault_injection_policy.flatMap(({ abort }) => abort)) {
      if (percentage === 100) return { kind: "reject", status: http_status, by: "no such host" };
    }
  }
  return { kind: "service", service: map.default_service, by: "no such host, default" };
}

function pathFits(rule: z.infer<typeof matchRule>, path: string): boolean {
  const { full_path_match: full, prefix_match: prefix, path_template_match: template } = rule;
  if (full) return path === full;
  if (prefix) return path.startsWith(prefix);
  return template ? templatePattern(template).test(path) : false;
}

/** `*` is one segment, `**` at the end any number of them. */
function templatePattern(template: string): RegExp {
  const parts = template.split("/").map((part) => {
    if (part === "*") return "[^/]+";
    return part === "**" ? ".*" : part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  });
  return new RegExp(`^${parts.join("/")}$`);
}

/** What Google refuses or this fleet must not reach; a sentence each. Sizes as of Google's quotas for URL maps. */
export function urlMapFaults(map: UrlMap): string[] {
  const faults: string[] = [];
  const bytes = Buffer.byteLength(JSON.stringify(compact(map)));
  if (bytes > 64 * 1024) faults.push(`${map.name}: ${bytes} bytes are more than the 64 KiB of a URL map`);
  if (map.host_rule.length > 1_000) faults.push(`${map.name}: more than 1,000 host rules`);
  for (const { name, route_rules } of map.path_matcher) {
    const predicates = route_rules.flatMap((r) => r.match_rules.map((m) => 1 + m.header_matches.length));
    if (route_rules.length > 1_000) faults.push(`${map.name}, ${name}: more than 1,000 route rules`);
    if (predicates.reduce((a, b) => a + b, 0) > 1_000)
      faults.push(`${map.name}, ${name}: more than 1,000 predicates`);
    const priorities = route_rules.map((r) => r.priority);
    if (new Set(priorities).size !== priorities.length)
      faults.push(`${map.name}, ${name}: two route rules have one priority`);
  }
  const hosts = map.host_rule.flatMap((rule) => rule.hosts);
  for (const host of hosts)
    if (hosts.indexOf(host) !== hosts.lastIndexOf(host))
      faults.push(`${map.name}: ${host} has two host rules`);
  return [...new Set(faults)];
}

/** Without what is empty or not set: what is sent. */
function compact(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(compact);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, v]) => v !== null && !(Array.isArray(v) && v.length === 0))
      .map(([k, v]) => [k, compact(v)]),
  );
}
