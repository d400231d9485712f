import type { ArtefactRef } from "@proveniq/contracts";
import type { Packed } from "../artefact/index.ts";

/** A cell over a while, as its clients saw it, and what it says of itself at the end. */
export interface Observed {
  seconds: number;
  requests: number;
  /** Answered with 500 or above, or not at all. */
  failed: number;
  /** 95 of 100 requests took at most this long; null without requests. */
  p95Ms: number | null;
  /** What the cell says is not well with it: databases, lag of its market values, waiting events. */
  ill: string[];
}

/** How the canary tenant of a cell is reached: through the edge, as any tenant. */
export interface CanaryAccess {
  url: string;
  tenantId: string;
  key: string;
}

/** Where cells run: this machine's fleet, or the cloud. */
export interface DeployTarget {
  /** For people: what is about to be changed. */
  readonly name: string;
  /** What the cell runs now; undefined when that cannot be found out. */
  current(cell: string): Promise<ArtefactRef | undefined>;
  /** Bring an artefact to where cells take it from. Doing it again does nothing. */
  upload(packed: Packed): Promise<void>;
  /** Make the cell run it and serve from it. Doing it again does nothing. What it ran stays at hand until `settle`. */
  apply(cell: string, artefact: ArtefactRef): Promise<void>;
  /** Every command and request of a deploy, in order, as a person would type them; `afterwards`: those that end it. */
  plan(cell: string, packed: Packed): { commands: string[]; afterwards: string[] };
  /** What the cell ran before is not needed any more. */
  settle(cell: string): Promise<void>;
  canary(cell: string): Promise<CanaryAccess>;
  /** Watch a cell for so many seconds; resolves when that is known. Undefined: nothing can be said, which is no good sign. */
  observe(cell: string, seconds: number, signal: AbortSignal): Promise<Observed | undefined>;
  /** How long the edge may need until it sends requests to what was applied, in seconds. */
  readonly settlesWithinSeconds: number;
  /** How long a cell is watched there unless told otherwise. */
  readonly usualBake: Bake;
}

export type DeployStep =
  | "begin"
  | "baseline"
  | "upload"
  | "apply"
  | "smoke"
  | "watch"
  | "rollback"
  | "settle"
  | "end";

/** Something that happened on the way, for people and for the record. */
export interface DeployEvent {
  at: string;
  cell: string;
  step: DeployStep;
  text: string;
}

/** How long to watch, and in which portions to judge. Zero seconds: not at all. */
export interface Bake {
  seconds: number;
  windowSeconds: number;
}
