import type { Fleet } from "../fleet.ts";
import type { Infra } from "../terraform.ts";
import { letBudgetsBeKept, shareNetworks, uploadArtefact, writeSecrets } from "./by-hand.ts";
import type { Entry } from "./judge.ts";
import { nameOf, type Organisation, type Ran, type State } from "./organisation.ts";

/** The one check that is left out: it refuses every grant to allUsers, whatever a project's policy says. See `strangers`. */
export const leftOut = "domain-restricted-sharing";

/** What a state came to: its apply, and the plan that follows. */
export interface BuiltUp {
  state: State;
  applied: Ran;
  second: Ran | undefined;
}

/**
 * Applies every state in the order of infra/terraform's README, each by who does so in reality, with what a person does between.
 * A state's second plan runs beside the next applies; one that is applied again later has none before that. Stops at the first step in which one fails.
 */
export async function buildUp(organisation: Organisation): Promise<BuiltUp[]> {
  const { judge, fleet } = organisation;
  await judge.ask("off", { checks: leftOut });
  const all: Promise<BuiltUp>[] = [];
  for (const wave of organisation.waves()) {
    const applies = wave.map(async (state) => ({ state, applied: await organisation.apply(state) }));
    all.push(
      ...applies.map(async (each) => {
        const { state, applied } = await each;
        const isLooked = applied.code === 0 && state[2] === undefined;
        return { state, applied, second: isLooked ? await organisation.plan(state) : undefined };
      }),
    );
    const done = await Promise.all(applies);
    if (done.some(({ applied }) => applied.code !== 0)) break;
    const [[root] = [undefined]] = wave;
    if (root === "bootstrap") {
      await uploadArtefact(judge, fleet);
      await letBudgetsBeKept(judge, fleet);
      await shareNetworks(judge, fleet);
    }
    if (root === "project") await writeSecrets(judge, fleet);
  }
  return Promise.all(all);
}

/** What these lines are when all is well. */
export const wellOf = (organisation: Organisation): string[] =>
  organisation
    .waves()
    .flat()
    .map((state) => `${nameOf(state)}: applied, ${state[2] ? "for now" : "and nothing left to do"}`);

/** Of each state a line: what it came to. */
export function linesOf(built: readonly BuiltUp[]): string[] {
  return built.map(({ state, applied, second }) => {
    if (applied.code !== 0) return `${nameOf(state)}: ${faultIn(applied.text)}`;
    if (state[2] !== undefined) return `${nameOf(state)}: applied, for now`;
    if (second?.code === 0) return `${nameOf(state)}: applied, and nothing left to do`;
    return `${nameOf(state)}: applied, and again ${faultIn(second?.text ?? "")}`;
  });
}

/** What Terraform says against it, or would change. */
export function faultIn(text: string): string {
  const at = text.indexOf("\nError: ");
  if (at !== -1) return text.slice(at + 1, at + 1500);
  const changes = text.match(/^ {2}# .*$/gm) ?? [];
  return changes.length > 0 ? changes.join("; ") : text.slice(-1500);
}

/** Grants to everybody that the check was left out for, and that it should not have been. */
export function strangers(log: readonly Entry[], { cells }: Fleet): string[] {
  const open = Object.entries(cells).flatMap(([id, { project, region }]) =>
    ["api", "bulk"].map((s) => `projects/${project}/locations/${region}/services/${id}-${s}`),
  );
  return log
    .filter((e) => e.check === leftOut && !open.includes(e.path ?? ""))
    .map((e) => `${e.method} ${e.path}: ${e.message}`);
}

/** Leave a copy one cell and one front door: Cell 0's. */
export function onlyCellZero(infra: Infra): void {
  const fleet = JSON.parse(infra.read("fleet.json")) as Record<string, unknown> & {
    defaults: Record<string, unknown>;
    hosts: Record<string, { kind: string }>;
  };
  const hosts = Object.entries(fleet.hosts).filter(([, { kind }]) => kind === "global");
  infra.write(
    "fleet.json",
    JSON.stringify({
      ...fleet,
      hosts: Object.fromEntries(hosts),
      defaults: { global: fleet.defaults["global"] },
      edges: {},
      pinnedTenants: {},
      ownHosts: {},
    }),
  );
  const { cell } = fleet.defaults["global"] as { cell: string };
  for (const id of infra.cells()) if (id !== cell) infra.removeCell(id);
}
