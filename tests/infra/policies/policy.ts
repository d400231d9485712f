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
