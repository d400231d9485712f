import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type ArtefactRef, artefactRef } from "@proveniq/contracts";
import { createKey } from "@proveniq/control-plane/access";
import { type Packed, unpackArtefact, zipSha256Of } from "@proveniq/control-plane/artefact";
import {
  between,
  type CanaryAccess,
  canaryScopes,
  canaryTenant,
  type DeployTarget,
  illsOf,
  type Observed,
  readMetrics,
} from "@proveniq/control-plane/deploy";
import { operator } from "@proveniq/control-plane/environment";
import { z } from "zod";
import { controlClient, type FleetControl } from "../control/client.ts";
import type { LocalEnvironment } from "./local-environment.ts";
import { localProver } from "./proof.ts";
import { type FleetState, readState } from "./state.ts";

const keyLivesMs = 6 * 3_600_000;
const answerMs = 3_000;
/** No service that keeps ending waits longer until it is started again. */
const restartsWithinMs = 12_000;
const described = z.object({ artefactDigest: z.string(), commit: z.string() });

/** Deploys into the fleet that runs here: real artefacts, real processes, two versions side by side. */
export class LocalTarget implements DeployTarget {
  readonly name: string;
  readonly settlesWithinSeconds = 10;
  readonly usualBake = { seconds: 20, windowSeconds: 10 };
  readonly #stateDir: string;
  readonly #run: string;
  readonly #environment: LocalEnvironment;
  readonly #control: FleetControl;
  readonly #access = new Map<string, CanaryAccess>();

  constructor(environment: LocalEnvironment, stateDir: string) {
    const { state, title } = environment;
    this.name = title;
    this.#stateDir = stateDir;
    this.#run = state.run;
    this.#environment = environment;
    this.#control = controlClient(state.control);
  }

  plan(cell: string, { digest, commit, folder, zip }: Packed): { commands: string[]; afterwards: string[] } {
    const commands = [
      `unpack ${join(folder, zip)} into ${join(this.#artefacts, digest)}`,
      `POST <control>/cells/${cell}/stage?digest=${digest}&commit=${commit}`,
      `POST <control>/cells/${cell}/serve?digest=${digest}`,
    ];
    return { commands, afterwards: [`POST <control>/cells/${cell}/settle`] };
  }

  async current(cell: string): Promise<ArtefactRef | undefined> {
    const place = await this.#place(cell);
    const folder = join(this.#artefacts, place.artefact);
    const { commit } = await describe(place.api, await this.#prover(cell)).catch(() => ({
      commit: "unknown",
    }));
    const zipSha256 = await zipSha256Of(folder);
    return artefactRef.parse({ digest: place.artefact, zipSha256, commit });
  }

  async upload(packed: Packed): Promise<void> {
    await unpackArtefact(packed, this.#artefacts);
  }

  async apply(cell: string, artefact: ArtefactRef): Promise<void> {
    await this.#control.stage(cell, artefact);
    const { beside } = await this.#place(cell);
    // Asked before anybody is sent there.
    if (beside?.artefact === artefact.digest) {
      const { artefactDigest } = await describe(beside.api, await this.#prover(cell));
      if (artefactDigest !== artefact.digest)
        throw new Error(`wrong digest: it says that it is ${artefactDigest}, not ${artefact.digest}`);
    }
    await this.#control.serve(cell, artefact.digest);
  }

  async settle(cell: string): Promise<void> {
    await this.#control.settle(cell);
  }

  async canary(cell: string): Promise<CanaryAccess> {
    const known = this.#access.get(cell);
    if (known !== undefined) return known;
    const tenantId = canaryTenant(cell);
    const on = this.#environment;
    const wanted = { tenantId, name: `Canary of ${cell}`, cellId: cell };
    const { placement } = await on.addTenant(wanted, operator());
    const { key } = await createKey(
      on.connections,
      on.keys,
      {
        tenantId,
        label: "Deploys",
        scopes: [...canaryScopes],
        expiresAt: new Date(Date.now() + keyLivesMs),
      },
      operator(),
    );
    const access = { url: on.url(placement.residency), tenantId, key };
    this.#access.set(cell, access);
    return access;
  }

  async observe(cell: string, seconds: number, signal: AbortSignal): Promise<Observed | undefined> {
    const { metrics } = await this.#state();
    const before = await count(metrics, cell, signal);
    const started = Date.now();
    await sleep(seconds * 1_000, undefined, { signal });
    const after = await count(metrics, cell, signal);
    const [said, dying] = await Promise.all([
      illsOf(await this.#place(cell), await this.#prover(cell)),
      this.#dying(cell, started),
    ]);
    const ill = [...said, ...dying];
    return { seconds: (Date.now() - started) / 1_000, ...between(before, after), ill };
  }

  /** Services of the cell that have ended lately: one that dies again and again is started again more and more slowly. */
  async #dying(cell: string, since: number): Promise<string[]> {
    const services = await this.#control.services();
    const from = Math.min(since, Date.now() - restartsWithinMs);
    return [cell, `bulk-${cell}`, `replicate-${cell}`, `sink-${cell}`].flatMap((name) => {
      const deaths = services[name]?.deaths;
      if (deaths === undefined || Date.parse(deaths.at) < from) return [];
      return [`${name}: ended ${deaths.count} times, last: ${deaths.last}`];
    });
  }

  get #artefacts(): string {
    return join(this.#stateDir, "artefacts");
  }

  async #state(): Promise<FleetState> {
    const state = await readState(this.#stateDir);
    if (state?.run !== this.#run) throw new Error("the fleet has been stopped, or started anew");
    return state;
  }

  async #prover(cell: string): Promise<(url: string) => Readonly<Record<string, string>>> {
    const prove = await localProver(await this.#state());
    const residency = this.#environment.manifests[cell]?.residency ?? "global";
    return (url) => prove(residency, url);
  }

  async #place(cell: string): Promise<FleetState["cells"][string]> {
    const place = (await this.#state()).cells[cell];
    if (place === undefined) throw new Error(`the cell ${cell} does not run here`);
    return place;
  }
}

/** What a cell says that it is. */
async function describe(
  api: string,
  prove: (url: string) => Readonly<Record<string, string>>,
): Promise<z.infer<typeof described>> {
  const url = `${api}/v1/cell`;
  const response = await fetch(url, { headers: prove(url), signal: AbortSignal.timeout(answerMs) });
  return described.parse(await response.json());
}

async function count(url: string, cell: string, signal: AbortSignal) {
  const response = await fetch(url, { signal: AbortSignal.any([signal, AbortSignal.timeout(answerMs)]) });
  if (!response.ok) throw new Error(`the router's metrics: ${response.status}`);
  return readMetrics(await response.text(), cell);
}
