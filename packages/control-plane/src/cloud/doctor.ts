import { z } from "zod";
import type { BringUp } from "./bring-up.ts";
import { projectsOf } from "./projects.ts";
import type { Step } from "./steps.ts";

/** What whoever brings a fleet up must be able to do in the organisation, and the roles that let them. */
const inOrganisation = {
  "resourcemanager.projects.create": "roles/resourcemanager.projectCreator",
  "orgpolicy.policy.set": "roles/orgpolicy.policyAdmin",
  "compute.organizations.enableXpnHost": "roles/compute.xpnAdmin",
};
const inProjects = [
  "resourcemanager.projects.setIamPolicy",
  "iam.roles.create",
  "serviceusage.services.enable",
];
const granted = z.object({ permissions: z.array(z.string()).default([]) });
/** A policy that keeps every cell and router from having an account of its own. */
const constraint = "constraints/iam.disableServiceAccountCreation";
const policy = z.object({
  booleanPolicy: z.object({ enforced: z.boolean().default(false) }).default({ enforced: false }),
});

/** What is looked at beside the steps of a bootstrap: rights, policies, and whether alarms reach anybody. */
export function looksOf({ fleet, account, google }: BringUp): Step[] {
  const projects = projectsOf(fleet);
  return [
    ...Object.entries(inOrganisation).map(
      ([permission, role]): Step => ({
        name: `right in the organisation: ${permission}`,
        done: async () => {
          const path = `organizations/${account.organisation}:testIamPermissions`;
          const { permissions } = await google.ask("projects", "POST", path, granted, {
            permissions: [permission],
          });
          return permissions.includes(permission);
        },
        mend: `gcloud organizations add-iam-policy-binding ${account.organisation} --member=user:YOU --role=${role}`,
      }),
    ),
    ...projects.map(
      (project): Step => ({
        name: `rights in ${project}`,
        done: async () => {
          const { permissions } = await google.ask(
            "projects",
            "POST",
            `projects/${project}:testIamPermissions`,
            granted,
            { permissions: inProjects },
          );
          return inProjects.every((each) => permissions.includes(each));
        },
        mend: `gcloud projects add-iam-policy-binding ${project} --member=user:YOU --role=roles/owner`,
      }),
    ),
    ...projects.map(
      (project): Step => ({
        name: `organisation policy of ${project}`,
        done: async () => {
          const path = `projects/${project}:getEffectiveOrgPolicy`;
          return !(await google.ask("projects", "POST", path, policy, { constraint })).booleanPolicy.enforced;
        },
        mend: `cells and routers have accounts of their own: gcloud resource-manager org-policies disable-enforce iam.disableServiceAccountCreation --project=${project}`,
      }),
    ),
    ...projects.map((project) => alarmsLook(google, project)),
  ];
}

const alerts = z.object({
  alertPolicies: z
    .array(
      z.object({
        displayName: z.string().default(""),
        notificationChannels: z.array(z.string()).default([]),
      }),
    )
    .default([]),
});

/** An alarm that tells nobody is none. */
function alarmsLook(google: BringUp["google"], project: string): Step {
  return {
    name: `alarms of ${project}`,
    done: async () => {
      const found = await google.find(
        "monitoring",
        `v3/projects/${project}/alertPolicies?pageSize=500`,
        alerts,
      );
      const deaf = (found?.alertPolicies ?? []).filter((p) => p.notificationChannels.length === 0);
      if (deaf.length > 0) throw new Error(`tell nobody: ${deaf.map((p) => p.displayName).join(", ")}`);
      return true;
    },
    mend: `name who is told in "alerts" of infra/fleet.json, then: npx fleet cloud bootstrap`,
  };
}
