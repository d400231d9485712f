/**
 * Applies states from nothing to the stand-in for Google's APIs, and says what each came to: `node tests/infra/judge/run.ts [STATE…]`,
 * all of them without a name.
 */
import { writeFileSync } from "node:fs";
import { fleetOf } from "../fleet.ts";
import { Infra, root as repository } from "../terraform.ts";
import { letBudgetsBeKept, shareNetworks, uploadArtefact, writeSecrets } from "./by-hand.ts";
import { nameOf, Organisation } from "./organisation.ts";
import { controlPlane, providerFolder } from "./tools.ts";

if (controlPlane === undefined || providerFolder === undefined)
  throw new Error("provider or stand-in is missing");
const wanted = process.argv.slice(2);
const infra = await Infra.copy();
const fleet = fleetOf(infra);
infra.close();
const organisation = await Organisation.found({ provider: providerFolder, controlPlane, repository, fleet });
const say = (line: string) => process.stdout.write(`${line}\n`);
const errors = (text: string) => text.slice(Math.max(0, text.indexOf("\nError")));
try {
  if (process.env["KEEP"]) await organisation.judge.ask("off", { checks: process.env["KEEP"] });
  for (const wave of organisation.waves()) {
    const states = wave.filter((s) => wanted.length === 0 || wanted.includes(nameOf(s)));
    await Promise.all(
      states.map(async (state) => {
        const { code, text, seconds } = await organisation.apply(state);
        say(`${nameOf(state)}: ${code === 0 ? "applied" : `FAILED${errors(text)}`} ${seconds.toFixed(0)} s`);
        if (code !== 0 || state[2] !== undefined) return;
        const second = await organisation.plan(state);
        say(
          `${nameOf(state)}: second plan ${second.code === 0 ? "empty" : second.text} ${second.seconds.toFixed(0)} s`,
        );
      }),
    );
    if (wave.some(([root]) => root === "bootstrap")) {
      await uploadArtefact(organisation.judge, fleet);
      await letBudgetsBeKept(organisation.judge, fleet);
      await shareNetworks(organisation.judge, fleet);
    }
    if (wave.some(([root]) => root === "project")) await writeSecrets(organisation.judge, fleet);
  }
  for (const state of organisation.states()) {
    if (wanted.length > 0 && !wanted.includes(nameOf(state))) continue;
    const last = await organisation.plan(
      state,
      {},
      process.env["PLANNER"] ? organisation.planner : undefined,
    );
    if (last.code !== 0) say(`${nameOf(state)}: at the end ${last.text}`);
  }
} finally {
  const out = process.env["OUT"];
  if (out) {
    writeFileSync(
      `${out}.log`,
      organisation.judge
        .log()
        .map((e) => JSON.stringify(e))
        .join("\n"),
    );
    writeFileSync(`${out}.dump`, JSON.stringify(await organisation.judge.ask("dump")));
  }
  organisation.close();
}
