import { z } from "zod";
import { cellId, databaseId, hostname, projectId, tenantId } from "./ids.ts";
import { location, residency } from "./region.ts";

/** What a host of the fleet admits. Tenants' own hosts are not here: they are part of their placement. */
export const fleetHost = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("global").describe("Everybody without a residency promise") }),
  z.strictObject({ kind: z.literal("region"), residency: residency.exclude(["global"]) }),
]);

/** Where somebody goes who names no tenant. */
export const defaultTarget = z.strictObject({
  cell: cellId,
  tenant: tenantId.describe("The tenant that such people are consumers of"),
});

/** Where a fleet can be, besides on one's own machine. */
export const environmentName = z.enum(["production", "staging"]);
export type EnvironmentName = z.infer<typeof environmentName>;

/** By what a cloud of an environment is brought up, as `fleet cloud init` writes it. */
export const cloudAccount = z.strictObject({
  organisation: z.string().regex(/^[1-9]\d{4,19}$/, "must be the number of a Google Cloud organisation"),
  billingAccount: z
    .string()
    .regex(
      /^[0-9A-F]{6}-[0-9A-F]{6}-[0-9A-F]{6}$/,
      "must be a billing account, such as 01AB23-CD45EF-678901",
    ),
  repository: z
    .string()
    .regex(/^[A-Za-z0-9-]{1,39}\/[A-Za-z0-9._-]{1,100}$/, "must be owner/name")
    .describe("Whose workflows may deploy"),
  operators: z
    .array(
      z
        .string()
        .regex(/^(user|group|serviceAccount):[^\s@]+@[^\s@]+$/, "must be a member, such as group:a@b"),
    )
    .default([])
    .describe("Who publishes the directory"),
  records: z
    .array(
      z.strictObject({
        name: z.string().max(253),
        type: z.string().regex(/^[A-Z]{1,10}$/, "must be a type of DNS records"),
        ttl: z.int().min(1).max(604_800),
        rrdatas: z.array(z.string().min(1)).min(1),
      }),
    )
    .default([])
    .describe("What the domain's zone held before it was delegated: its mail above all"),
});
export type CloudAccount = z.infer<typeof cloudAccount>;

/** infra/fleet.json: what belongs to the fleet and to no cell. */
export const fleetConfig = z
  .strictObject({
    zone: hostname.describe("The fleet's DNS zone; all its hosts are in it"),
    environments: z
      .strictObject({
        production: z
          .strictObject({ cloud: cloudAccount.optional() })
          .describe("What infra/ says, as it stands"),
        staging: z
          .strictObject({
            projectSuffix: z
              .string()
              .regex(/^-[a-z0-9]{1,8}$/, "must be a hyphen and up to 8 lower-case letters or digits")
              .describe("Behind the id of every project"),
            zone: hostname.describe("In the place of the zone, in every host; neither lies within the other"),
            cloud: cloudAccount.optional(),
          })
          .optional(),
      })
      .describe("Clouds that this fleet is in, by what their names differ in from what infra/ says"),
    hosts: z.record(hostname, fleetHost),
    defaults: z.strictObject({
      global: defaultTarget,
      eu: defaultTarget.optional(),
      us: defaultTarget.optional(),
    }),
    central: z.strictObject({
      project: projectId,
      location,
      controlDatabase: databaseId.describe("Registry, moves, audit"),
      deployDatabase: databaseId.describe(
        "What each cell runs and how it came there; who deploys may write here, and not to the registry",
      ),
      marketDatabase: databaseId.describe("Published market values: the one source of every cell's replica"),
    }),
    edges: z
      .strictObject({ eu: projectId.optional(), us: projectId.optional() })
      .describe(
        "Google Cloud project of each residency's front door: load balancers, router, certificates and their logs. Where data may be anywhere, that is the central project",
      ),
    alerts: z.array(z.email()).min(1).describe("Who is told when an alarm rings"),
    directory: z.strictObject({
      maxBytes: z
        .union([z.literal(8_192), z.literal(65_536), z.literal(524_288), z.literal("none")])
        .describe(
          "What the Edge Config plan holds; none: routers read a Redis or a file, which take what comes",
        ),
    }),
    warehouse: z.strictObject({
      eu: location,
      us: location,
      global: location,
    }),
    pinnedTenants: z
      .record(
        tenantId,
        z.strictObject({
          cell: cellId.describe(
            "Where the registry has placed it: a publication that says otherwise is refused",
          ),
          hosts: z.array(hostname).describe("Its own hosts, which go the same way"),
        }),
      )
      .describe("Sent by the load balancer straight to their cell, past the router"),
    ownHosts: z
      .record(hostname, residency)
      .describe("Own hosts of other tenants, by the residency whose load balancer and router they reach"),
  })
  .superRefine((f, ctx) => {
    const staging = f.environments.staging?.zone;
    if (
      staging !== undefined &&
      (`.${staging}`.endsWith(`.${f.zone}`) || `.${f.zone}`.endsWith(`.${staging}`))
    ) {
      ctx.addIssue({
        code: "custom",
        path: ["environments", "staging", "zone"],
        message: `${staging} and ${f.zone} overlap: one environment would take the other's hosts for its own`,
      });
    }
    for (const [host, h] of Object.entries(f.hosts)) {
      if (!host.endsWith(`.${f.zone}`)) {
        ctx.addIssue({ code: "custom", path: ["hosts", host], message: `is not in the zone ${f.zone}` });
      }
      if (h.kind === "region" && f.defaults[h.residency] === undefined) {
        ctx.addIssue({
          code: "custom",
          path: ["defaults", h.residency],
          message: `${host} needs a default cell`,
        });
      }
    }
    const doors = [["global", f.central.project] as const, ...Object.entries(f.edges)];
    for (const [n, [name, project]] of doors.entries()) {
      if (doors.findIndex(([, other]) => other === project) !== n)
        ctx.addIssue({ code: "custom", path: ["edges", name], message: `${project} is another residency's` });
    }
    for (const name of ["eu", "us"] as const) {
      if (f.defaults[name] !== undefined && f.edges[name] === undefined)
        ctx.addIssue({
          code: "custom",
          path: ["edges", name],
          message: "names no project for its front door",
        });
    }
    if (!Object.values(f.hosts).some((h) => h.kind === "global")) {
      ctx.addIssue({ code: "custom", path: ["hosts"], message: "needs at least one global host" });
    }
    const seen = new Set(Object.keys(f.hosts));
    const claim = (path: (string | number)[], host: string) => {
      if (!host.endsWith(`.${f.zone}`)) {
        ctx.addIssue({ code: "custom", path, message: `${host} is not in the zone ${f.zone}` });
      }
      if (seen.has(host)) ctx.addIssue({ code: "custom", path, message: `${host} is listed twice` });
      seen.add(host);
    };
    for (const [tenant, { hosts }] of Object.entries(f.pinnedTenants)) {
      for (const [n, host] of hosts.entries()) claim(["pinnedTenants", tenant, "hosts", n], host);
    }
    for (const host of Object.keys(f.ownHosts)) claim(["ownHosts", host], host);
  })
  .meta({ id: "FleetConfig" });
export type FleetConfig = z.infer<typeof fleetConfig>;
