import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { faultIn } from "./build-up.ts";
import type { Organisation } from "./organisation.ts";

/**
 * Has everybody who plans or applies reach a state over the backend that they use in reality, and one who must not. Gives what was
 * not as it should be, a line each.
 */
export async function reaches(organisation: Organisation): Promise<string[]> {
  const { project } = organisation.fleet.config.central;
  const account = (name: string) => `${name}@${project}.iam.gserviceaccount.com`;
  const cells = Object.keys(organisation.fleet.cells);
  const [first = "", second = ""] = cells;
  const tries: [caller: string, prefix: string, command: string, reached: boolean][] = [
    ...cells.map((id): [string, string, string, boolean] => [
      account(`deploy-${id}`),
      `cells/${id}`,
      "apply",
      true,
    ]),
    [account("deploy-edge"), "edge/eu", "apply", true],
    [organisation.planner, `cells/${first}`, "plan", true],
    [organisation.planner, "edge/eu", "plan", true],
    [account(`deploy-${first}`), `cells/${second}`, "plan", false],
    [organisation.planner, `cells/${first}`, "apply", false],
  ];
  const faults: string[] = [];
  for (const [caller, prefix, command, reached] of tries) {
    const folder = mkdtempSync(join(tmpdir(), "state-"));
    try {
      // What is kept differs by who keeps it: an apply without a change would write nothing.
      writeFileSync(
        join(folder, "main.tf"),
        `terraform {\n  backend "gcs" {}\n}\noutput "x" {\n  value = "${caller} ${command}"\n}\n`,
      );
      const env = { GOOGLE_OAUTH_ACCESS_TOKEN: caller, TF_CLI_CONFIG_FILE: "/dev/null" };
      const backend = [`-backend-config=bucket=${project}-tfstate`, `-backend-config=prefix=${prefix}`];
      const init = await organisation.terraform(
        folder,
        ["init", "-no-color", "-input=false", ...backend],
        env,
      );
      const more = command === "apply" ? ["-auto-approve"] : ["-lock=false"];
      const ran =
        init.code === 0
          ? await organisation.terraform(folder, [command, "-no-color", "-input=false", ...more], env)
          : init;
      if ((ran.code === 0) !== reached)
        faults.push(`${caller} ${reached ? "does not reach" : "reaches"} ${prefix}: ${faultIn(ran.text)}`);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
  return faults;
}
