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

const keyed = z.array(
  z.object({ rate_limit_options: z.array(z.object({ enforce_on_key: z.string().nullable() })) }),
);
const armor = z.object({ rule: keyed.optional(), rules: keyed.optional() });
const backend = z.object({ name: z.string(), security_policy: z.string().nullable().default("known later") });

/**
 * Every backend service has a policy that throttles, keyed by address: a key taken from a header would let strangers use up
 * another tenant's share.
 */
export function byAddress(plan: readonly Planned[]): string[] {
  const backends = ["google_compute_backend_service", "google_compute_region_backend_service"].flatMap(
    (type) => resources(plan, type, backend),
  );
  const policies = ["google_compute_security_policy", "google_compute_region_security_policy"].flatMap(
    (type) => resources(plan, type, armor),
  );
  const rules = policies.flatMap(({ values }) => values.rules ?? values.rule ?? []);
  return [
    ...backends
      .filter(({ values }) => values.security_policy === null)
      .map(({ values }) => `${values.name} has none`),
    ...(backends.length > 0 && rules.length === 0 ? ["there is no policy"] : []),
    ...rules
      .filter((rule) => !rule.rate_limit_options.every((o) => o.enforce_on_key === "IP"))
      .map(() => "it is keyed by something that callers choose"),
  ];
}
