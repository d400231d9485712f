import { setTimeout as wait } from "node:timers/promises";
import type { CloudAccount } from "@proveniq/contracts";
import { z } from "zod";
import type { Fleet } from "../fleet/load.ts";
import { type Google, GoogleError } from "./google.ts";
import type { Step } from "./steps.ts";

const anything = z.looseObject({});

/** Every project of a fleet, the centre first. */
export function projectsOf({ config, manifests }: Fleet): string[] {
  const doors = Object.values(config.edges).filter((project) => project !== undefined);
  const cells = Object.values(manifests).map((m) => m.project);
  return [...new Set([config.central.project, ...doors, ...cells])];
}

/** Asks until it is so: what Google has begun is there a moment later. */
export async function until(
  what: string,
  isSo: () => Promise<boolean>,
  say: (line: string) => void,
): Promise<void> {
  for (let seconds = 0; !(await isSo()); seconds += 5) {
    if (seconds >= 600) throw new Error(`${what} is not there after ten minutes: run it again`);
    if (seconds % 30 === 0) say(`waiting for ${what}`);
    await wait(5_000);
  }
}

/** The project itself. Google answers 403 for one that is not there. */
export function projectStep(google: Google, account: CloudAccount, project: string): Step {
  const state = z.object({ lifecycleState: z.string() });
  const done = async () => {
    try {
      const found = await google.find("projects", `projects/${project}`, state);
      return found?.lifecycleState === "ACTIVE";
    } catch (error) {
      if (error instanceof GoogleError && error.status === 403) return false;
      throw error;
    }
  };
  return {
    name: `project ${project}`,
    done,
    work: async (say) => {
      const parent = { type: "organization", id: account.organisation };
      await google.ask("projects", "POST", "projects", anything, {
        projectId: project,
        name: project,
        parent,
      });
      await until(`project ${project}`, done, say);
    },
    mend: `gcloud projects create ${project} --organization=${account.organisation}`,
  };
}

/** Who pays for it. */
export function billingStep(google: Google, account: CloudAccount, project: string): Step {
  const wanted = `billingAccounts/${account.billingAccount}`;
  const info = z.object({ billingAccountName: z.string().default("") });
  return {
    name: `billing of ${project}`,
    done: async () =>
      (await google.find("billing", `projects/${project}/billingInfo`, info))?.billingAccountName === wanted,
    work: async () => {
      await google.ask("billing", "PUT", `projects/${project}/billingInfo`, anything, {
        billingAccountName: wanted,
      });
    },
    mend: `gcloud billing projects link ${project} --billing-account=${account.billingAccount}`,
  };
}

const first = ["cloudresourcemanager", "compute", "iam", "orgpolicy", "serviceusage"];
const ofCentre = ["billingbudgets", "cloudbilling", "iamcredentials", "secretmanager", "storage", "sts"];

/** What has to be on before Terraform can turn on the rest. */
export function apisStep(google: Google, project: string, isCentre: boolean): Step {
  const wanted = [...first, ...(isCentre ? ofCentre : [])].map((name) => `${name}.googleapis.com`);
  const state = z.object({ state: z.string().default("") });
  const missing = async () => {
    const found = await Promise.all(
      wanted.map((name) => google.find("usage", `projects/${project}/services/${name}`, state)),
    );
    return wanted.filter((_, n) => found[n]?.state !== "ENABLED");
  };
  return {
    name: `APIs of ${project}`,
    done: async () => (await missing()).length === 0,
    work: async (say) => {
      const serviceIds = await missing();
      await google.ask("usage", "POST", `projects/${project}/services:batchEnable`, anything, { serviceIds });
      await until(`APIs of ${project}`, async () => (await missing()).length === 0, say);
    },
    mend: `gcloud services enable ${wanted.join(" ")} --project=${project}`,
  };
}

/** A cell's project takes part in the network of its residency's front door. */
export function networkStep(google: Google, door: string, project: string): Step {
  const host = z.object({ name: z.string().optional() });
  return {
    name: `network of ${project}`,
    done: async () => (await google.find("compute", `projects/${project}/getXpnHost`, host))?.name === door,
    work: async (say) => {
      const isHost = async () =>
        (
          await google.find(
            "compute",
            `projects/${door}`,
            z.object({ xpnProjectStatus: z.string().default("") }),
          )
        )?.xpnProjectStatus === "HOST";
      if (!(await isHost())) {
        await google.ask("compute", "POST", `projects/${door}/enableXpnHost`, anything);
        await until(`the shared network of ${door}`, isHost, say);
      }
      await google.ask("compute", "POST", `projects/${door}/enableXpnResource`, anything, {
        xpnResource: { id: project, type: "PROJECT" },
      });
    },
    mend: `gcloud compute shared-vpc enable ${door} && gcloud compute shared-vpc associated-projects add ${project} --host-project=${door} (takes roles/compute.xpnAdmin in the organisation)`,
  };
}

/** Deployers and the planner keep and see budgets: a right on the billing account, which is in no project. */
export function budgetsStep(google: Google, account: CloudAccount, members: readonly string[]): Step {
  const path = `billingAccounts/${account.billingAccount}`;
  const role = "roles/billing.costsManager";
  const policy = z.looseObject({
    bindings: z
      .array(z.looseObject({ role: z.string(), members: z.array(z.string()).default([]) }))
      .default([]),
  });
  const holders = (of: z.infer<typeof policy>) =>
    of.bindings.filter((b) => b.role === role).flatMap((b) => b.members);
  return {
    name: "who sees budgets",
    done: async () => {
      const known = holders(await google.ask("billing", "GET", `${path}:getIamPolicy`, policy));
      return members.every((m) => known.includes(m));
    },
    work: async () => {
      const now = await google.ask("billing", "GET", `${path}:getIamPolicy`, policy);
      const all = [...new Set([...holders(now), ...members])];
      const bindings = [...now.bindings.filter((b) => b.role !== role), { role, members: all }];
      await google.ask("billing", "POST", `${path}:setIamPolicy`, anything, { policy: { ...now, bindings } });
    },
    mend: `gcloud billing accounts add-iam-policy-binding ${account.billingAccount} --role=${role} --member=MEMBER, for each of ${members.join(", ")}`,
  };
}
