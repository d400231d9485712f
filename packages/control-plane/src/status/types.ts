import type { Pause } from "@proveniq/contracts";
import type { InspectedTenant } from "@proveniq/db/inspect";
import type { DatabasePool } from "@proveniq/db/pool";
import type { UsedDirectory } from "../directory/publish.ts";
import type { Trouble } from "./troubles.ts";

/** One question with its own time limit: an answer, or why there is none. */
export type Probe<T> = { ok: true; value: T } | { ok: false; error: string };

/** Where the parts of a cell are. */
export interface CellPlace {
  /** URL of the API, of what works on imports, and of the sink where it has one: in the cloud a sink has no address. */
  api: string;
  bulk: string;
  sink: string | undefined;
  /** Headers by which its API and bulk service know that the fleet asks. */
  prove: (url: string) => Readonly<Record<string, string>>;
  /** Its databases: its tenants', the default one first, and that of market values. */
  pool: DatabasePool;
  databases: readonly string[];
  marketDatabase: string;
  maxReplicaLagSeconds: number;
}

export interface ServiceReadiness {
  status: string;
  /** Names and details of what does not answer, or not well. */
  unavailable: string[];
  degraded: string[];
  /** Of tenants' requests lately; a cell of an older release does not tell. */
  traffic?: { seconds: number; requests: number; failed: number } | undefined;
}

export interface Outbox {
  database: string;
  state: string;
  reason?: string | undefined;
  waitingPages: number;
  oldestSeconds: number;
  setAside: number;
}

export interface CellFacts {
  id: string;
  digest: Probe<string>;
  api: Probe<ServiceReadiness>;
  bulk: Probe<ServiceReadiness>;
  /** Undefined: this sink has no address that could be asked. */
  sink: Probe<Outbox[]> | undefined;
  replica: Probe<{ sequence: number; ageSeconds: number | null }>;
  tenants: Probe<InspectedTenant[]>;
  /** What an operator has paused in it. */
  pauses: Probe<Pause[]>;
  maxReplicaLagSeconds: number;
}

/** What a directory or the registry says: its version, and by tenant the cell and epoch. */
export interface PlacedTenants {
  version: number;
  tenants: Record<string, { cellId: string; epoch: number }>;
}

/** What a target holds. */
export interface PublishedPlaces extends PlacedTenants {
  /** SHA-256 of its text, where it is one. */
  digest?: string | undefined;
  /** Hosts, cells and defaults that are not as the registry and infra/ say, by name. */
  astray?: string[];
}

export interface FleetFacts {
  at: string;
  cells: CellFacts[];
  router: Probe<true>;
  registry: Probe<PlacedTenants>;
  /** What routers read. Undefined: it is not told where that is. */
  directory: Probe<PublishedPlaces> | undefined;
  /** What the router uses. Undefined: it cannot be asked. */
  used?: Probe<UsedDirectory> | undefined;
  /** Undefined: it was not asked. */
  warehouse: Probe<true> | undefined;
  /** Of the processes and the data. Undefined: nobody here has started them. */
  troubles?: Probe<Trouble[]> | undefined;
}

/** Something that is wrong, and what to do. */
export interface Finding {
  /** A cell's id, or `fleet`. */
  where: string;
  /** ill: somebody must act; note: worth knowing. */
  level: "ill" | "note";
  what: string;
  /** The page to follow, in the repository. */
  runbook: string;
  /** What to type next. */
  next: string;
}
