import type { Relay } from "../relay/index.ts";
import type { InstalledArtefact } from "./artefact.ts";
import type { Saved } from "./saved.ts";
import type { FleetState } from "./state.ts";

/** Something that a person may want to see. */
export interface FleetLine {
  /** `fleet`, `router`, a cell's id, or `emulator-<cell>`. */
  source: string;
  /** The service's own output, or what the fleet says about it. */
  kind: "output" | "note";
  text: string;
}

export interface FleetOptions {
  /** The repository. */
  root: string;
  /** The router's port, from which all others follow; 8080 unless told otherwise. */
  portBase?: number;
  /** Where state, logs and artefacts are kept; `<root>/.fleet` unless told otherwise. */
  stateDir?: string;
  /** Only these cells; all of them unless told otherwise. */
  cells?: readonly string[];
  /** Java heap of each emulator in MiB. */
  heapMb?: number;
  /** `production`: the cells' databases behave as Firestore does in production, and say where writes run hot. */
  profile?: "production";
  /** Whether imports keep the pace of their cell's manifest; off unless told otherwise. */
  importPace?: "manifest" | "off";
  /**
   * What becomes of the data. `keep`: begin with what was saved, and save every few minutes and at the end; `fresh`: begin empty,
   * then the same. Without it the data is gone when the fleet stops.
   */
  data?: "keep" | "fresh";
  /** How often a running fleet's data is saved; every five minutes unless told otherwise. */
  saveEveryMs?: number;
  /** What every cell starts from; what the repository builds unless told otherwise. */
  artefact?: InstalledArtefact;
  /** Of cells and router: debug, info, warn, error; info unless told otherwise. */
  logLevel?: string;
  /** Hears everything; nothing is printed without it. */
  onLine?(line: FleetLine): void;
}

/** Somebody else is in the way: a running fleet, or whoever holds a port. The message is for people. */
export class FleetConflict extends Error {}

/** A running fleet. */
export interface RunningFleet {
  readonly state: FleetState;
  /** By name: `central`, or a cell's id. */
  readonly relays: ReadonlyMap<string, Relay>;
  /** SIGKILL a cell's process, as a crash would; it is started again by itself. */
  killCell(id: string): void;
  /** Build again and restart what changed; resolves with the names of what was restarted. */
  reload(): Promise<string[]>;
  /** Save the data now. Rejects when this fleet keeps none. */
  save(): Promise<Saved>;
  /** Stop everything in order. Calling it again waits for the same end. */
  stop(): Promise<void>;
  /** SIGKILL everything, now. */
  kill(): void;
}
