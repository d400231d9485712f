import {
  type CellManifest,
  type FleetConfig,
  isInside,
  location,
  reservedHeaderPrefix,
} from "@proveniq/contracts";
import { routeByUrlMap, type UrlMap, urlMap, urlMapFaults } from "@proveniq/control-plane/url-map";
import { z } from "zod";
import { readConfig } from "../../../apps/router/src/config.ts";
import type { Planned } from "../terraform.ts";
import { byAddress, type Policy, resources } from "./policy.ts";
import { secretsOfRouter } from "./proof.ts";

export interface EdgeContext {
  residency: "eu" | "us" | "global";
  config: FleetConfig;
  /** Every cell of the fleet. */
  cells: Readonly<Record<string, CellManifest>>;
}

const types = ["google_compute_url_map", "google_compute_region_url_map"];

export function urlMapsOf(plan: readonly Planned[]): UrlMap[] {
  return plan.filter((r) => types.includes(r.type)).map((r) => urlMap.parse(r.values));
}

/** `<cell>-api` of the full name of a backend service. */
export const serviceName = (service: string) => service.slice(service.lastIndexOf("/") + 1);

const hostsOf = (maps: readonly UrlMap[]) => maps.flatMap((m) => m.host_rule.flatMap((r) => r.hosts));

function sent(maps: readonly UrlMap[], host: string, path: string, tenant?: string): string {
  const map = maps.find((m) => hostsOf([m]).includes(host));
  if (map === undefined) return "nowhere";
  const headers = { "x-tenant-id": tenant === undefined ? [] : [tenant] };
  const decision = routeByUrlMap(map, { host, path, headers });
  return decision.kind === "service" ? serviceName(decision.service) : "nowhere";
}

/** Of each load balancer in a plan: a residency has one in each region of its cells. */
const perLoadBalancer = (plan: readonly Planned[]) =>
  Map.groupBy(plan, (r) => /^module\.edge\["[^"]+"\]/.exec(r.address)?.[0] ?? r.address);

const service = z.object({ project: z.string(), region: z.string().optional(), name: z.string() });
const fullName = ({ project, region, name }: z.infer<typeof service>) =>
  `projects/${project}/${region === undefined ? "global" : `regions/${region}`}/backendServices/${name}`;

export const edgePolicies: Record<string, Policy<EdgeContext>> = {
  "backend services": (plan, { residency, cells }) => {
    const routers = ["google_compute_backend_service", "google_compute_region_backend_service"].flatMap(
      (type) => resources(plan, type, service).map(({ values }) => values),
    );
    const ofCells = Object.entries(cells)
      .filter(([, m]) => m.residency === residency)
      .flatMap(([id, { project, region }]) =>
        ["api", "bulk"].map((s) => ({
          project,
          name: `${id}-${s}`,
          ...(residency === "global" ? {} : { region }),
        })),
      );
    const there = [...routers, ...ofCells];
    const place = z.object({ region: z.string().optional() });
    return plan
      .filter((r) => types.includes(r.type))
      .flatMap(({ address, values }) => {
        const { region } = place.parse(values);
        const map = urlMap.parse(values);
        const reachable = new Set(there.filter((s) => s.region === region).map(fullName));
        const named = [
          map.default_service,
          ...map.path_matcher.flatMap((m) => [m.default_service, ...m.route_rules.map((r) => r.service)]),
        ];
        return [...new Set(named)]
          .filter((name) => !reachable.has(name))
          .map((name) => `${address} names ${name}, which is not there`);
      });
  },

  certificates: (plan) => {
    const managed = z.object({ managed: z.array(z.object({ domains: z.array(z.string()) })) });
    const record = z.object({ name: z.string(), type: z.string() });
    return [...perLoadBalancer(plan.filter((r) => r.address.startsWith("module.edge")))].flatMap(
      ([where, own]) => {
        const domains = resources(own, "google_certificate_manager_certificate", managed).flatMap((c) =>
          c.values.managed.flatMap((m) => m.domains),
        );
        const records = resources(own, "google_dns_record_set", record).map(({ values }) => values);
        const proven = records.filter(({ type }) => type === "CNAME").length;
        return [
          ...(proven === domains.length ? [] : [`${where} proves ${proven} of ${domains.length} names`]),
          ...records
            .filter(({ type }) => type === "A")
            .filter(
              ({ name }) =>
                !domains.includes(name.replace(/^[^.]+(.*)\.$/, "*$1")) &&
                !domains.includes(name.slice(0, -1)),
            )
            .map(({ name }) => `${where} has none for ${name}`),
        ];
      },
    );
  },

  limits: (plan) => urlMapsOf(plan).flatMap(urlMapFaults),

  "unknown hosts": (plan) =>
    urlMapsOf(plan)
      .filter(
        (map) => routeByUrlMap(map, { host: "nobody.invalid", path: "/", headers: {} }).kind !== "reject",
      )
      .map((map) => `${map.name} serves hosts that nobody gave`),

  "hosts of a residency": (plan, { residency, config, cells }) => {
    const others = [
      ...Object.entries(config.hosts).filter(
        ([, h]) => (h.kind === "global" ? "global" : h.residency) !== residency,
      ),
      ...Object.entries(config.ownHosts).filter(([, r]) => r !== residency),
    ].map(([host]) => host);
    const origins = Object.values(cells)
      .filter((m) => m.residency !== residency)
      .flatMap((m) => [m.origins.api, m.origins.bulk].map((o) => new URL(o).host));
    const here = hostsOf(urlMapsOf(plan));
    return [...others, ...origins]
      .filter((h) => here.includes(h))
      .map((h) => `${h} is behind the load balancer of "${residency}"`);
  },

  origins: (plan, { residency, cells }) =>
    Object.entries(cells)
      .filter(([, m]) => m.residency === residency)
      .flatMap(([id, m]) =>
        (["api", "bulk"] as const).flatMap((service) => {
          const { host } = new URL(m.origins[service]);
          const goes = sent(urlMapsOf(plan), host, "/v1/items");
          return goes === `${id}-${service}` ? [] : [`${host} goes to ${goes}`];
        }),
      ),

  "pinned tenants": (plan, { residency, config, cells }) =>
    Object.entries(config.pinnedTenants)
      .filter(([, { cell }]) => cells[cell]?.residency === residency)
      .flatMap(([tenant, { cell, hosts }]) => {
        const maps = urlMapsOf(plan);
        // Shared hosts are in the primary region. What they cannot reach from there, they leave to the router.
        const primary = cells[config.defaults[residency]?.cell ?? ""]?.region;
        const isNear = residency === "global" || cells[cell]?.region === primary;
        const shared = Object.keys(config.hosts).filter((h) => hostsOf(maps).includes(h));
        const ways: [string, string, string | undefined, string][] = [
          ...shared.flatMap((h): [string, string, string | undefined, string][] => [
            [h, `/t/${tenant}/v1/items`, undefined, "api"],
            [h, `/t/${tenant}/v1/imports/x/chunks/1`, undefined, "bulk"],
            [h, "/v1/items", tenant, "api"],
            [h, "/v1/imports", tenant, "bulk"],
          ]),
          ...hosts.flatMap((h): [string, string, string | undefined, string][] => [
            [h, "/v1/items", undefined, "api"],
            [h, "/v1/imports", undefined, "bulk"],
          ]),
        ];
        return ways.flatMap(([host, path, header, service]) => {
          const goes = sent(maps, host, path, header);
          const wanted = isNear || hosts.includes(host) ? `${cell}-${service}` : `router-${residency}`;
          return goes === wanted ? [] : [`${tenant} at ${host}${path} goes to ${goes}`];
        });
      }),

  "reserved headers": (plan, { cells }) => {
    const removed = z.object({
      request_headers_to_remove: z.array(z.string()),
      response_headers_to_remove: z.array(z.string()),
    });
    const rules = z.array(z.object({ header_action: z.array(removed) }));
    const actions = z.object({
      host_rule: z.array(z.object({ hosts: z.array(z.string()), path_matcher: z.string() })),
      path_matcher: z.array(z.object({ name: z.string(), route_rules: rules })),
    });
    const wanted = ["epoch", "host", "successor"].map((name) => reservedHeaderPrefix + name).join();
    // Only the router calls origins, and it says these itself.
    const origins = Object.values(cells).flatMap((m) =>
      [m.origins.api, m.origins.bulk].map((o) => new URL(o).host),
    );
    return plan
      .filter((r) => types.includes(r.type))
      .map((r) => actions.parse(r.values))
      .flatMap(({ host_rule, path_matcher }) => {
        const clients = host_rule.filter(({ hosts }) => hosts.some((h) => !origins.includes(h)));
        return path_matcher.filter((m) => clients.some((rule) => rule.path_matcher === m.name));
      })
      .filter(
        (m) =>
          m.route_rules.length === 0 ||
          m.route_rules.some(
            ({ header_action: [action] }) =>
              action?.request_headers_to_remove.toSorted().join() !== wanted ||
              action.response_headers_to_remove.toSorted().join() !== wanted,
          ),
      )
      .map((m) => `${m.name} lets them through`);
  },

  "where TLS ends": (plan, { residency }) => {
    if (residency === "global") return [];
    const placed = z.object({ location: z.string().optional(), region: z.string().optional() });
    return plan.flatMap((r) => {
      const { location: at, region } = placed.parse(r.values);
      const known = location.safeParse(at ?? region);
      if (r.type.startsWith("google_compute_global_") || at === "global") return [`${r.address} is global`];
      return known.success && !isInside(known.data, residency) ? [`${r.address} is in ${known.data}`] : [];
    });
  },

  router: (plan) => {
    const schema = z.object({
      ingress: z.string().nullable(),
      name: z.string(),
      invoker_iam_disabled: z.boolean().nullish(),
      template: z.array(
        z.object({
          containers: z.array(
            z.object({ resources: z.array(z.object({ cpu_idle: z.boolean().nullish() })) }),
          ),
        }),
      ),
    });
    const account = z.object({ member: z.string(), role: z.string() });
    const services = resources(plan, "google_cloud_run_v2_service", schema).map(({ values }) => values);
    return [
      ...services
        .filter((s) => s.ingress !== "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER")
        .map((s) => `${s.name} can be reached past the load balancer`),
      ...services
        .filter((s) => s.invoker_iam_disabled !== true)
        .map((s) => `${s.name} answers nobody: it asks for a token that no client has`),
      ...services
        .filter((s) => s.template.some((t) => t.containers.some((c) => c.resources[0]?.cpu_idle !== true)))
        .map((s) => `${s.name} is paid while it does nothing`),
      ...resources(plan, "google_project_iam_member", account)
        .filter(({ values }) => values.member.includes(":router-"))
        .map(({ values }) => `it has ${values.role}`),
    ];
  },

  "a project of its own": (plan, { residency, config }) => {
    const project = residency === "global" ? config.central.project : config.edges[residency];
    return plan
      .filter(({ values }) => typeof values["project"] === "string")
      .filter(({ type, values }) => {
        const wanted = type === "google_dns_record_set" ? config.central.project : project;
        return values["project"] !== wanted;
      })
      .map(({ address, values }) => `${address} is in ${String(values["project"])}`);
  },

  TLS: (plan) => {
    const policy = z.object({ name: z.string(), min_tls_version: z.string().nullish() });
    const types = ["google_compute_ssl_policy", "google_compute_region_ssl_policy"];
    const made = types.flatMap((type) => resources(plan, type, policy));
    const doors = plan.filter((r) => r.type.endsWith("_target_https_proxy"));
    return [
      ...(made.length === doors.length ? [] : ["a front door takes whatever TLS is asked for"]),
      ...doors.filter((d) => d.values["ssl_policy"] === null).map((d) => `${d.address} has no policy`),
      ...made
        .filter(({ values }) => values.min_tls_version !== "TLS_1_2")
        .map(({ values }) => `${values.name} takes ${values.min_tls_version ?? "TLS 1.0"}`),
    ];
  },

  environment: (plan, { config, residency }) => {
    const project = residency === "global" ? config.central.project : config.edges[residency];
    const env = z.array(z.object({ name: z.string(), value: z.string().nullable() }));
    const schema = z.object({
      name: z.string(),
      template: z.array(z.object({ containers: z.array(z.object({ env })) })),
    });
    return resources(plan, "google_cloud_run_v2_service", schema).flatMap(({ values }) => {
      const pairs = values.template.flatMap((t) => t.containers.flatMap((c) => c.env));
      try {
        // What comes from a secret is not in a plan.
        const secret: Record<string, string> = { PROOF_SECRETS: `${residency}:aaaaaa.${"a".repeat(43)}` };
        const router = readConfig(
          Object.fromEntries(pairs.map(({ name, value }) => [name, value || (secret[name] ?? "a secret")])),
        );
        const traces =
          router.traces?.url === "https://traces.example/v1/traces" && router.traces.ratio === 0.01;
        if (router.project === project && traces && !router.development) return [];
        return [`${values.name} does not know where its log lines and traces are found`];
      } catch (error) {
        return [`${values.name}: ${error instanceof Error ? error.message : String(error)}`];
      }
    });
  },

  "router's secrets": secretsOfRouter,

  "rate limit": (plan) => byAddress(plan),
};
