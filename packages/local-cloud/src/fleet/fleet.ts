import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { messageOf } from "@proveniq/contracts";
import { databasesOf } from "@proveniq/control-plane";
import { commitOf } from "@proveniq/control-plane/artefact";
import { operator } from "@proveniq/control-plane/environment";
import { readLocalConfig } from "../config.ts";
import { type ControlledService, type ControlServer, startControlServer } from "../control/server.ts";
import type { EmulatedDatabase } from "../emulator/export.ts";
import { type IssuerServer, loadIssuerKey, serveIssuer } from "../issuer/index.ts";
import { type Door, openDoor } from "../net/door.ts";
import { endOrphans, markOf } from "../process/orphans.ts";
import type { Service, ServiceEvents } from "../process/service.ts";
import type { Relay } from "../relay/index.ts";
import { forgetAnalytics, LocalAnalytics } from "./analytics.ts";
import { type InstalledArtefact, installArtefact, installRouter } from "./artefact.ts";
import { buildAll } from "./build.ts";
import { type CellPlace, LocalCell } from "./cell.ts";
import { LocalDatabase } from "./database.ts";
import { baseEnvironment } from "./environment.ts";
import { refillCell, refillCentral, seed, seedMarket } from "./filling.ts";
import { keepLocalKeys } from "./identity.ts";
import { Keeping } from "./keeping.ts";
import { type LocalEnvironment, localEnvironment } from "./local-environment.ts";
import { Losses } from "./losses.ts";
import { describeBusyPorts, type FleetPlan, keysFile, planFleet } from "./plan.ts";
import { defaultPortBase } from "./ports.ts";
import { productionOf } from "./profile.ts";
import { makeLocalProof } from "./proof.ts";
import { type Saved, SavedData } from "./saved.ts";
import { makeRouter, type ServiceContext } from "./services.ts";
import { besideRelays, type FleetState, readState, removeState, runningState, writeState } from "./state.ts";
import { troublesOf } from "./troubles.ts";
import { FleetConflict, type FleetOptions, type RunningFleet } from "./types.ts";
import { LocalCells } from "./versions.ts";

const central = "central";
const saveEveryMs = 300_000;

/** The one place that knows the order in which a fleet starts and stops. */
export class Fleet implements RunningFleet {
  readonly relays = new Map<string, Relay>();
  readonly #options: FleetOptions;
  readonly #stateDir: string;
  readonly #databases = new Map<string, LocalDatabase>();
  readonly #cells: LocalCells;
  #router: Service | undefined;
  #routerDigest = "";
  readonly #doors: Door[] = [];
  #control: ControlServer | undefined;
  #issuer: IssuerServer | undefined;
  #environment: LocalEnvironment | undefined;
  #analytics: LocalAnalytics | undefined;
  readonly #saved: SavedData;
  readonly #losses: Losses;
  #keeping: Keeping | undefined;
  #state: FleetState | undefined;
  #ended: Promise<void> | undefined;
  #written: Promise<void> = Promise.resolve();
  readonly #stopping = new AbortController();

  constructor(options: FleetOptions) {
    this.#options = options;
    this.#stateDir = options.stateDir ?? join(options.root, ".fleet");
    this.#saved = new SavedData(this.#stateDir);
    this.#losses = new Losses(this.#stateDir);
    this.#cells = new LocalCells({
      artefacts: join(this.#stateDir, "artefacts"),
      tell: () => this.#become({}),
      publish: () => this.#publishPlaces(),
      runSink: async (id, artefact) => this.#analytics?.runSink(id, artefact),
    });
  }

  get state(): FleetState {
    if (this.#state === undefined) throw new Error("the fleet has not started");
    return this.#state;
  }

  async start(): Promise<void> {
    await mkdir(this.#stateDir, { recursive: true });
    const { root, cells, portBase = defaultPortBase } = this.#options;
    const stateDir = this.#stateDir;
    await this.#refuseSecond();
    const plan = await planFleet({ root, stateDir, portBase, ...(cells === undefined ? {} : { cells }) });
    await refuseBusyPorts(plan);
    await this.#prepareFolder(plan.state.identity.keys);
    this.#state = plan.state;
    // The first to listen wins, should two be started at the same moment.
    this.#control = await startControlServer(plan.ports.control, {
      run: plan.state.run,
      state: () => this.state,
      relays: this.relays,
      services: () => this.#services(),
      versions: this.#cells,
      save: () => this.save(),
      troubles: () => troublesOf(this.#services(), this.#losses.all),
      acknowledge: () => this.#losses.acknowledge(),
    }).catch((cause: unknown) => {
      throw new FleetConflict(`Another fleet has just taken port ${plan.ports.control}`, { cause });
    });
    await this.#become({});
    this.#issuer = await serveIssuer(
      await loadIssuerKey(plan.state.identity.issuerKeyFile),
      plan.ports.issuer,
    );

    const proof = await makeLocalProof(
      plan.state.identity.proofFile,
      Object.values(plan.manifests).map(({ residency }) => residency),
    );

    const names = [central, ...Object.keys(plan.manifests)];
    const [artefact] = await Promise.all([
      this.#build(),
      ...names.map((name) => this.#startDatabase(name, plan)),
    ]);
    this.#goOn();
    const context: ServiceContext = {
      root,
      plan,
      logs: join(stateDir, "logs"),
      environment: { ...baseEnvironment(readLocalConfig().inherited), ...markOf(stateDir) },
      proof,
      logLevel: this.#options.logLevel ?? "info",
      importPace: this.#options.importPace ?? "off",
    };
    const cellsReady = Promise.all(
      Object.keys(plan.manifests).map(async (id) => {
        const { beside } = plan.ports.cell(plan.place(id));
        const cell = new LocalCell(
          context,
          id,
          [placeOf(this.state, id), { api: localUrl(beside.api), bulk: localUrl(beside.bulk) }],
          (source) => this.#eventsOf(source),
        );
        this.#cells.add(cell);
        await cell.start(artefact);
      }),
    );
    // Reported below; until the seeding is done it must not count as unhandled.
    cellsReady.catch(() => undefined);
    this.#environment = localEnvironment(besideRelays(this.state), plan);
    await seed(this.#environment, plan.seeds);
    await seedMarket(this.#environment, root);
    this.#goOn();
    const replicating = this.#cells.all().map((cell) => cell.runReplicator());
    this.#analytics = new LocalAnalytics(context, stateDir, artefact, (source) => this.#eventsOf(source));
    await Promise.all([cellsReady, this.#startRouter(context), ...replicating, this.#analytics.start()]);
    await this.#become({ phase: "ready" });
    if (this.#keepsData) this.#keeping = this.#keep(plan);
  }

  /** Nothing is saved of a fleet that never was ready: it would take the place of what is whole. */
  #keep(plan: FleetPlan): Keeping {
    return new Keeping({
      saved: this.#saved,
      everyMs: this.#options.saveEveryMs ?? saveEveryMs,
      databases: () => [...this.#databases].flatMap(([name, { host }]) => databasesIn(plan, name, host)),
      hold: () => this.#analytics?.hold() ?? (() => undefined),
      note: (text) => this.#note("fleet", text),
    });
  }

  async save(): Promise<Saved> {
    if (this.#keeping === undefined) throw new Error("this fleet keeps no data");
    const saved = await this.#keeping.save();
    await this.#become({ savedAt: saved.savedAt });
    return saved;
  }

  get #keepsData(): boolean {
    return this.#options.data !== undefined;
  }

  killCell(id: string): void {
    const cell = this.#services().get(id);
    if (!this.#cells.has(id) || cell === undefined) throw new Error(`No cell ${id} runs`);
    cell.kill();
  }

  async reload(): Promise<string[]> {
    if (this.#router === undefined) throw new Error("the fleet has not started");
    const restarted = await this.#cells.replaceAll(await this.#build());
    const router = await this.#installRouter();
    if (router.digest !== this.#routerDigest) {
      this.#routerDigest = router.digest;
      await this.#router.restart({ args: [router.file] });
      restarted.push("router");
    }
    return restarted;
  }

  stop(): Promise<void> {
    this.#stopping.abort(new Error("stopped while starting"));
    this.#ended ??= this.#stopAll();
    return this.#ended;
  }

  kill(): void {
    for (const service of this.#services().values()) service.kill();
  }

  async #stopAll(): Promise<void> {
    if (this.#state === undefined) return;
    await this.#become({ phase: "stopping" });
    await Promise.all(this.#doors.map((door) => door.close()));
    await this.#router?.stop();
    await this.#cells.stop();
    await Promise.all([this.#environment?.close(), this.#analytics?.stop()]);
    await this.#keeping
      ?.stop()
      .catch((error: unknown) => this.#note("fleet", `the data could not be saved: ${messageOf(error)}`));
    await Promise.all([...this.#databases.values()].map((database) => database.stop()));
    await this.#issuer?.stop();
    await this.#control?.close();
    // Without the control endpoint this run was never ours to announce.
    if (this.#control !== undefined) await removeState(this.#stateDir);
  }

  async #refuseSecond(): Promise<void> {
    const running = await runningState(this.#stateDir);
    if (running === undefined) {
      const orphans = await endOrphans(this.#stateDir);
      if (orphans.length > 0)
        this.#note(
          "fleet",
          `ended ${orphans.length} processes that a killed fleet of this folder had left behind`,
        );
      return;
    }
    throw new FleetConflict(
      `A fleet runs already at ${running.router} (process ${running.pid}, started ${running.startedAt}). ` +
        "Stop it with Ctrl-C in its terminal, or with `npx fleet down`.",
    );
  }

  /** A stop may come while the start waits for something; nothing more is started then. */
  #goOn(): void {
    this.#stopping.signal.throwIfAborted();
  }

  async #prepareFolder(keys: FleetState["identity"]["keys"]): Promise<void> {
    const cutOff = (await readState(this.#stateDir)) !== undefined;
    await this.#prepareData(cutOff);
    // What a killed fleet left behind: its databases are gone, so its directory would lie.
    await Promise.all([
      removeState(this.#stateDir),
      rm(join(this.#stateDir, "directory.json"), { force: true }),
      rm(join(this.#stateDir, "logs"), { recursive: true, force: true }),
      rm(join(this.#stateDir, "artefacts"), { recursive: true, force: true }),
    ]);
    for (const folder of ["logs", "warehouse"])
      await mkdir(join(this.#stateDir, folder), { recursive: true });
    await keepLocalKeys(keysFile(this.#stateDir), keys);
  }

  /** `cutOff`: the run before was killed. */
  async #prepareData(cutOff: boolean): Promise<void> {
    if (!this.#keepsData) return forgetAnalytics(this.#stateDir);
    await this.#saved.finishSave();
    if (this.#options.data === "fresh") await this.#saved.forget();
    await this.#saved.layOut();
    const saved = await this.#saved.read();
    if (this.#options.data === "fresh") await this.#losses.acknowledge();
    await this.#losses.load();
    if (cutOff && this.#options.data === "keep")
      await this.#losses.add({
        database: "all",
        at: new Date().toISOString(),
        savedAt: saved?.savedAt ?? null,
      });
    if (saved === undefined) return;
    const lost = cutOff
      ? "; the run before was not stopped in order, and what it wrote after that is lost"
      : "";
    this.#note("fleet", `begins with the data of ${saved.savedAt}${lost} (--fresh begins empty)`);
  }

  async #become(change: Partial<FleetState>): Promise<void> {
    const next = { ...this.state, ...change };
    this.#state = { ...next, cells: this.#cells.placesIn(next.cells) };
    if (this.#control === undefined) return;
    // One after the other: several cells change at once when all are restarted.
    this.#written = this.#written.then(() =>
      // On a full disk it is late, and what runs is more important.
      writeState(this.#stateDir, this.state).catch((error: unknown) =>
        this.#note("fleet", `its state could not be written: ${messageOf(error)}`),
      ),
    );
    await this.#written;
  }

  async #build(): Promise<InstalledArtefact> {
    const { root, artefact } = this.#options;
    await buildAll(root, readLocalConfig().inherited, this.#stopping.signal);
    if (artefact !== undefined) return artefact;
    const { commit } = await commitOf(root);
    const dist = join(root, "apps", "cell-api", "dist");
    return { ...(await installArtefact(dist, join(this.#stateDir, "artefacts"))), commit };
  }

  async #publishPlaces(): Promise<void> {
    await this.#become({});
    await this.#environment?.publish(operator());
  }

  #installRouter(): Promise<{ digest: string; file: string }> {
    return installRouter(
      join(this.#options.root, "apps", "router", "dist"),
      join(this.#stateDir, "artefacts"),
    );
  }

  async #startDatabase(name: string, plan: FleetPlan): Promise<void> {
    const source = `emulator-${name}`;
    const { heapMb, profile, root } = this.#options;
    const cell = plan.manifests[name];
    const production =
      cell === undefined || profile === undefined ? undefined : await productionOf(root, cell);
    const database = await LocalDatabase.start({
      name,
      project: cell === undefined ? plan.config.central.project : cell.project,
      ports: cell === undefined ? plan.ports.central : plan.ports.cell(plan.place(name)),
      logFile: join(this.#stateDir, "logs", `${source}.log`),
      env: markOf(this.#stateDir),
      ...(heapMb === undefined ? {} : { heapMb }),
      ...(production === undefined ? {} : { production }),
      note: (text) => this.#note(source, text),
      refill: () => this.#refill(name, plan),
    });
    this.#databases.set(name, database);
    this.relays.set(name, database.relay);
    await this.#fill(name, plan, database.host);
    // A stop that came meanwhile did not see it.
    if (this.#ended !== undefined) await database.stop();
  }

  /** Bring back what was saved of an emulator's databases; undefined when that is nothing. */
  async #fill(name: string, plan: FleetPlan, host: string): Promise<Saved | undefined> {
    const saved = this.#keepsData ? await this.#saved.read() : undefined;
    if (saved === undefined) return undefined;
    const filled = await Promise.all(databasesIn(plan, name, host).map((each) => this.#saved.fill(each)));
    return filled.includes(true) ? saved : undefined;
  }

  async #refill(name: string, plan: FleetPlan): Promise<void> {
    const source = `emulator-${name}`;
    const host = this.#databases.get(name)?.host;
    const on = this.#environment;
    if (on === undefined || host === undefined) return;
    const saved = await this.#fill(name, plan, host);
    await this.#losses.add({
      database: name,
      at: new Date().toISOString(),
      savedAt: saved?.savedAt ?? null,
    });
    const since =
      saved === undefined ? "" : ` with the data of ${saved.savedAt}; what was written after that is lost`;
    if (name !== central) {
      const tenants = await refillCell(on, name);
      const kept = saved === undefined ? `, empty but for its tenants: ${tenants.join(", ")}` : since;
      this.#note(source, `serves again${kept}`);
      return;
    }
    const [lost] = await Promise.all([refillCentral(on, plan.seeds), seedMarket(on, this.#options.root)]);
    const again = lost.length === 0 ? "" : `; no longer known, add them again: ${lost.join(", ")}`;
    const kept = saved === undefined ? " with the tenants that the fleet starts with" : since;
    this.#note(source, `serves again${kept}${again}`);
  }

  async #startRouter(context: ServiceContext): Promise<void> {
    const bundle = await this.#installRouter();
    this.#goOn();
    this.#routerDigest = bundle.digest;
    this.#router = makeRouter(context, bundle.file, this.state.directoryFile, this.#eventsOf("router"));
    await this.#router.start();
    for (const [residency, url] of Object.entries(this.state.doors)) {
      const [host] =
        Object.entries(context.plan.config.hosts).find(
          ([, kind]) => kind.kind === "region" && kind.residency === residency,
        ) ?? [];
      if (host !== undefined)
        this.#doors.push(
          await openDoor(Number(new URL(url).port), `http://127.0.0.1:${context.plan.ports.router}`, host),
        );
    }
  }

  #services(): Map<string, ControlledService> {
    const all = new Map<string, ControlledService>(this.#cells.services());
    for (const each of this.#analytics?.services() ?? []) all.set(each.name, each);
    if (this.#router !== undefined) all.set("router", this.#router);
    for (const [name, database] of this.#databases) all.set(`emulator-${name}`, database);
    return all;
  }

  #eventsOf(source: string): ServiceEvents {
    return {
      line: (text) => this.#options.onLine?.({ source, kind: "output", text }),
      note: (text) => this.#note(source, text),
    };
  }

  #note(source: string, text: string): void {
    this.#options.onLine?.({ source, kind: "note", text });
  }
}

async function refuseBusyPorts(plan: FleetPlan): Promise<void> {
  const busy = await describeBusyPorts(plan);
  if (busy.length === 0) return;
  throw new FleetConflict(
    `${busy.join("\n")}\nStop what holds it, or start the fleet elsewhere: \`npx fleet up --port-base 9080\`.`,
  );
}

/** The databases that an emulator holds, by its name: `central`, or a cell's id. */
function databasesIn({ config, manifests }: FleetPlan, name: string, host: string): EmulatedDatabase[] {
  const cell = manifests[name];
  const { project, controlDatabase, deployDatabase, marketDatabase } = config.central;
  return cell === undefined
    ? [controlDatabase, deployDatabase, marketDatabase].map((database) => ({ host, project, database }))
    : databasesOf(cell).map((database) => ({ host, project: cell.project, database }));
}

function placeOf(state: FleetState, id: string): CellPlace {
  const cell = state.cells[id];
  if (cell === undefined) throw new Error(`No cell ${id} is planned`);
  return { api: cell.api, bulk: cell.bulk };
}

const localUrl = (port: number) => `http://127.0.0.1:${port}`;
