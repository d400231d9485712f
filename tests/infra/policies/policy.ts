import { z } from "zod";
import type { Planned } from "../terraform.ts";

/** A rule of the fleet that a plan must keep; says what breaks it, a sentence each. */
export type Policy<Context> = (plan: readonly Planned[], context: Context) => string[];

/** Every fault, as `<policy>: <sentence>`. */
export function check<Context>(
  policies: Readonly<Record<string, Policy<Context>>>,
  plan: readonly Planned[],
  context: Context,
): string[] {
  return Object.entries(policies).flatMap(([name, policy]) =>
    policy(plan, context).map((fault) => `${name}: ${fault}`),
  );
}

/** The resources of one type, their values read by a schema. */
export function resources<T extends z.ZodType>(
  plan: readonly Planned[],
  type: string,
  schema: T,
): { address: string; values: z.infer<T> }[] {
  return plan
    .filter((r) => r.type === type)
    .map(({ address, values }) => ({ address, values: schema.parse(values) }));
}

export const condition = z.array(z.object({ title: z.string(), expression: z.string() })).default([]);
export const grant = z.object({ project: z.string(), role: z.string(), member: z.string(), condition });

const rule = z.object({
  action: z.string(),
  priority: z.number(),
  match: z.array(z.object({ expr: z.array(z.object({ expression: z.string() })).default([]) })),
  rate_limit_options: z.array(z.object({ enforce_on_key: z.string().nullable() })).default([]),
});
const armor = z.object({ name: z.string(), rule: z.array(rule).optional(), rules: z.array(rule).optional() });
const backend = z.object({ name: z.string(), security_policy: z.string().nullable().default("known later") });

/**
 * Every backend service has a policy. It refuses packed bodies before anything else, and throttles by address: a key taken from a
 * header would let strangers use up another tenant's share. Only what comes to `origins` is let past that, which is the router's and
 * was counted at its front door.
 */
export function byAddress(plan: readonly Planned[], origins: readonly string[] = []): string[] {
  const backends = ["google_compute_backend_service", "google_compute_region_backend_service"].flatMap(
    (type) => resources(plan, type, backend),
  );
  const policies = ["google_compute_security_policy", "google_compute_region_security_policy"].flatMap(
    (type) => resources(plan, type, armor),
  );
  const past = origins.map((host) => `request.headers['host'] == '${host}'`).join(" || ");
  return [
    ...backends
      .filter(({ values }) => values.security_policy === null)
      .map(({ values }) => `${values.name} has none`),
    ...(backends.length > 0 && policies.length === 0 ? ["there is no policy"] : []),
    ...policies.flatMap(({ values: { name, rules, rule: globalRules } }) => {
      const all = (rules ?? globalRules ?? []).toSorted((a, b) => a.priority - b.priority);
      const whenOf = (r: z.infer<typeof rule>) =>
        r.match.flatMap((m) => m.expr.map((e) => e.expression)).join();
      const [first] = all;
      const packed =
        first?.action === "deny(403)" && whenOf(first) === "has(request.headers['content-encoding'])";
      return [
        ...(packed ? [] : [`${name} lets packed bodies in`]),
        ...(all.at(-1)?.action === "throttle" ? [] : [`${name} throttles nobody`]),
        ...all
          .filter((r) => !r.rate_limit_options.every((o) => o.enforce_on_key === "IP"))
          .map(() => `${name} is keyed by something that callers choose`),
        ...all
          .filter((r) => r.action === "allow" && (past === "" || whenOf(r) !== past))
          .map((r) => `${name} counts nobody for whom ${whenOf(r)}`),
      ];
    }),
  ];
}

/** What must be in no plan of any root. */
export const commonPolicies: Record<string, Policy<unknown>> = {
  "no secret in a state": (plan) =>
    plan
      .filter((r) => r.type === "google_secret_manager_secret_version")
      .map(({ address }) => `${address} would be written into the state`),

  // Functions' callers are the one exception, which cells' policies hold to two services.
  "open to all": (plan) =>
    plan
      .filter((r) => /"all(Authenticated)?Users"/.test(JSON.stringify(r.values)))
      .filter((r) => r.type !== "google_cloud_run_service_iam_member")
      .map(({ address }) => `${address} lets everybody in`),
};
