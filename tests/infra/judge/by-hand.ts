import { artefactObject, billingAccount, doorOf, type Fleet, residenciesOf } from "../fleet.ts";
import type { Judge } from "./judge.ts";

/*
 * What no state makes: a build uploads artefacts, a person writes secrets and has rights beyond the projects. Each is a step of
 * docs/cloud.md; the stand-in is told that it was done.
 */

/** A build's zip in the artefact bucket. */
export async function uploadArtefact(
  judge: Judge,
  { config }: Fleet,
  object = artefactObject,
): Promise<void> {
  const bucket = `${config.central.project}-artefacts`;
  const thing = { kind: "storage#object", name: object, bucket, generation: "1" };
  await judge.put("storage.googleapis.com", `o/${bucket}/${object}`, thing);
}

/** Deployers and the planner keep and see budgets: a right on the billing account, which is in no project. */
export async function letBudgetsBeKept(judge: Judge, { config, cells }: Fleet): Promise<void> {
  for (const name of [...Object.keys(cells).map((id) => `deploy-${id}`), "planner"]) {
    const member = `serviceAccount:${name}@${config.central.project}.iam.gserviceaccount.com`;
    await judge.ask("billing", { account: billingAccount, member });
  }
}

/** The first version of each secret that a router reads. */
export async function writeSecrets(judge: Judge, fleet: Fleet): Promise<void> {
  for (const residency of residenciesOf(fleet)) {
    for (const secret of ["edge-config", "fleet-proof"]) {
      const path = `projects/${doorOf(fleet, residency)}/secrets/${secret}-${residency}/versions/1`;
      await judge.put("secretmanager.googleapis.com", path, { name: path, state: "ENABLED" });
    }
  }
}

/** Projects of a residency's cells share the network of its front door: a right of the organisation. */
export async function shareNetworks(judge: Judge, fleet: Fleet): Promise<void> {
  for (const { residency, project } of Object.values(fleet.cells)) {
    if (residency === "global") continue;
    await judge.put("compute.googleapis.com", `xpn/${doorOf(fleet, residency)}/${project}`, { shared: true });
  }
}
