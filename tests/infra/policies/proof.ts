import type { CellManifest, FleetConfig, Residency } from "@proveniq/contracts";
import { z } from "zod";
import { doorOf } from "../fleet.ts";
import type { Planned } from "../terraform.ts";
import { resources } from "./policy.ts";

const cellFunction = z.object({
  name: z.string(),
  build_config: z.tuple([z.object({ entry_point: z.string() })]),
  service_config: z.tuple([
    z.object({
      secret_environment_variables: z
        .array(z.object({ key: z.string(), project_id: z.string(), secret: z.string(), version: z.string() }))
        .nullish(),
    }),
  ]),
});

const secretSource = z.array(
  z.object({ secret_key_ref: z.array(z.object({ secret: z.string(), version: z.string() })) }),
);
const router = z.object({
  name: z.string(),
  template: z.array(
    z.object({
      containers: z.array(
        z.object({ env: z.array(z.object({ name: z.string(), value_source: secretSource.nullish() })) }),
      ),
    }),
  ),
});

function same(name: string, given: readonly string[], wanted: readonly string[]): string[] {
  return [
    ...wanted.filter((s) => !given.includes(s)).map((s) => `${name} is not given ${s}`),
    ...given.filter((s) => !wanted.includes(s)).map((s) => `${name} is given ${s}`),
  ];
}

/** At its own hosts a cell hears whoever knows the proof of its residency; without it, nobody. What is scheduled needs none. */
export function proofOfCell(
  plan: readonly Planned[],
  { config, manifest: { residency } }: { config: FleetConfig; manifest: CellManifest },
): string[] {
  const proof = `PROOF_SECRETS of ${doorOf({ config }, residency)}/fleet-proof-${residency}/latest`;
  return resources(plan, "google_cloudfunctions2_function", cellFunction).flatMap(({ values }) => {
    const [{ entry_point }] = values.build_config;
    const [{ secret_environment_variables }] = values.service_config;
    const given = (secret_environment_variables ?? []).map(
      (s) => `${s.key} of ${s.project_id}/${s.secret}/${s.version}`,
    );
    return same(values.name, given, ["api", "bulk"].includes(entry_point) ? [proof] : []);
  });
}

/** A router has the secrets of its residency and no others: without the proof cells take it for a stranger. */
export function secretsOfRouter(plan: readonly Planned[], { residency }: { residency: Residency }): string[] {
  const wanted = [
    `EDGE_CONFIG of edge-config-${residency}/latest`,
    `PROOF_SECRETS of fleet-proof-${residency}/latest`,
  ];
  return resources(plan, "google_cloud_run_v2_service", router).flatMap(({ values }) => {
    const env = values.template.flatMap((t) => t.containers.flatMap((c) => c.env));
    const given = env.flatMap(({ name, value_source }) =>
      (value_source ?? []).flatMap((source) =>
        source.secret_key_ref.map(({ secret, version }) => `${name} of ${secret}/${version}`),
      ),
    );
    return same(values.name, given, wanted);
  });
}
