import { rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createWarehouse, openWarehouse } from "@proveniq/control-plane/analytics";
import { untilOk } from "../process/ready.ts";
import { Service, type ServiceEvents, type ServiceOptions } from "../process/service.ts";
import type { InstalledArtefact } from "./artefact.ts";
import { cellOptions, type ServiceContext } from "./services.ts";

const warehouseEntry = fileURLToPath(new URL("../warehouse/main.ts", import.meta.url));

/** Whatever the warehouse kept from an earlier run is about events that no database here remembers. */
export async function forgetAnalytics(stateDir: string): Promise<void> {
  await Promise.all([
    rm(join(stateDir, "warehouse"), { recursive: true, force: true }),
    rm(join(stateDir, "analytics-keys"), { recursive: true, force: true }),
  ]);
}

/** The local warehouse and every cell's sink. Cells neither wait for them nor notice when they are gone. */
export class LocalAnalytics {
  readonly #context: ServiceContext;
  readonly #stateDir: string;
  readonly #warehouse: Service;
  readonly #sinks = new Map<string, Service>();
  /** By cell, what its sink was started from, and became ready. */
  readonly #runs = new Map<string, string>();

  constructor(
    context: ServiceContext,
    stateDir: string,
    artefact: InstalledArtefact,
    eventsOf: (source: string) => ServiceEvents,
  ) {
    this.#context = context;
    this.#stateDir = stateDir;
    this.#warehouse = new Service("warehouse", this.#warehouseOptions(), eventsOf("warehouse"));
    for (const id of Object.keys(context.plan.manifests)) {
      this.#sinks.set(id, new Service(`sink-${id}`, this.#sinkOptions(id, artefact), eventsOf(`sink-${id}`)));
      this.#runs.set(id, artefact.digest);
    }
  }

  /** Start the warehouse, make its tables, start the sinks. Resolves when all of them are ready. */
  async start(): Promise<void> {
    const { state, config } = this.#context.plan;
    const { project, rest } = state.warehouse;
    await this.#warehouse.start();
    await createWarehouse(openWarehouse({ project, endpoint: rest }), project, config.warehouse);
    await Promise.all([...this.#sinks.values()].map((sink) => sink.start()));
  }

  /** Run a cell's sink from this artefact; does nothing when it does so already. */
  async runSink(id: string, artefact: InstalledArtefact): Promise<void> {
    const sink = this.#sinks.get(id);
    if (sink === undefined || this.#runs.get(id) === artefact.digest) return;
    this.#runs.delete(id);
    await sink.restart(this.#sinkOptions(id, artefact));
    this.#runs.set(id, artefact.digest);
  }

  /** Hold every sink where it is, so that databases and warehouse can be saved as of one moment; the answer lets them go on. */
  hold(): () => void {
    const held = [...this.#sinks.values()];
    for (const sink of held) sink.freeze();
    return () => {
      for (const sink of held) sink.thaw();
    };
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#sinks.values()].map((sink) => sink.stop()));
    await this.#warehouse.stop();
  }

  services(): Service[] {
    return [this.#warehouse, ...this.#sinks.values()];
  }

  #warehouseOptions(): ServiceOptions {
    const { plan, environment, logs, root } = this.#context;
    const { rest, grpc } = plan.ports.warehouse;
    const file = join(this.#stateDir, "warehouse", "warehouse.duckdb");
    return {
      command: process.execPath,
      args: [warehouseEntry, file, String(rest), String(grpc)],
      cwd: root,
      env: environment,
      logFile: join(logs, "warehouse.log"),
      ready: (signal) => untilOk(`${plan.state.warehouse.rest}/health`, signal),
    };
  }

  #sinkOptions(id: string, artefact: InstalledArtefact): ServiceOptions {
    const { plan, logs } = this.#context;
    const place = plan.state.cells[id];
    if (place === undefined) throw new Error(`No cell ${id} is planned`);
    const cell = cellOptions(this.#context, id, artefact, place);
    return {
      ...cell,
      env: {
        ...cell.env,
        SERVICE: "sink",
        PORT: new URL(place.sink).port,
        CENTRAL_PROJECT: plan.state.warehouse.project,
        WAREHOUSE_HOST: plan.state.warehouse.grpc,
        ANALYTICS_KEYS: join(this.#stateDir, "analytics-keys", id),
        // On one machine nobody is ever a week old.
        ANALYTICS_MINIMUM_AGE_DAYS: "0",
        // One that was killed here is soon replaced, and nobody wants to wait for it.
        SINK_LEASE_MS: "3000",
      },
      logFile: join(logs, `sink-${id}.log`),
      ready: (signal) => untilOk(`${place.sink}/ready`, signal),
    };
  }
}
