import { messageOf, type OriginRule, orderOfVersions, originFaults } from "@proveniq/contracts";
import { AdoptedPlacements } from "./adopted.ts";
import { type DirectoryTable, parseSnapshot, tableOf } from "./snapshot.ts";
import { judgeSuccessor } from "./successor.ts";
import type {
  Directory,
  DirectoryLog,
  DirectoryPlacement,
  HostTable,
  LookupResult,
  Placed,
} from "./types.ts";

/** What became of an offered snapshot. `same`: nothing new. `refused`: not believed, the last good one stays. */
export type Offered = "accepted" | "same" | "refused";

/**
 * A directory that holds one whole snapshot in memory and is offered newer ones by a reader. It believes a snapshot
 * that is valid and newer, and that does not lose every tenant at once; everything else is logged and left.
 */
export class SnapshotDirectory implements Directory {
  readonly #log: DirectoryLog;
  readonly #readAgain: () => void;
  readonly #origins: OriginRule | undefined;
  readonly #adopted = new AdoptedPlacements();
  #table: DirectoryTable | undefined;

  /**
   * @param options.readAgain Asks the reader to look at the source at once; it decides how often it really does.
   * @param options.origins Where cells may be. Without it requests must not be sent by what is found here.
   */
  constructor(log: DirectoryLog, options: { readAgain?: () => void; origins?: OriginRule } = {}) {
    this.#log = log;
    this.#readAgain = options.readAgain ?? (() => undefined);
    this.#origins = options.origins;
  }

  /** @param source Where the text came from, for the log. */
  offerText(text: string, source: string): Offered {
    return this.#offer(() => parseSnapshot(text), source);
  }

  /** The same for a document that is parsed already. */
  offerDocument(document: unknown, source: string): Offered {
    return this.#offer(() => tableOf(document), source);
  }

  hostTable(): HostTable | undefined {
    return this.#table?.hosts;
  }

  /** Version of what is believed; 0 before the first snapshot. */
  get version(): number {
    return this.#table?.hosts.version ?? 0;
  }

  lookup(tenantId: string): LookupResult {
    const table = this.#table;
    if (table === undefined) return "unavailable";
    const found = find(table, tenantId);
    const adopted = this.#adopted.newerThan(tenantId, found?.epoch ?? 0, table.hosts);
    return adopted ?? found ?? "unknown";
  }

  adopt(tenantId: string, asked: Placed, told: Placed): boolean {
    const table = this.#table;
    if (table === undefined) return false;
    const current = this.lookup(tenantId);
    const known = typeof current === "object" ? current : undefined;
    const verdict = judgeSuccessor(known, asked, told, table.hosts.cells);
    if (verdict === "adopt") this.#adopted.remember(tenantId, told);
    if (verdict === "ahead") this.#readAgain();
    return verdict === "adopt" || verdict === "known";
  }

  #offer(parse: () => DirectoryTable, source: string): Offered {
    let table: DirectoryTable;
    try {
      table = parse();
    } catch (error) {
      return this.#refuse(source, messageOf(error));
    }
    const { version, cells } = table.hosts;
    const faults = this.#origins === undefined ? [] : originFaults(Object.fromEntries(cells), this.#origins);
    if (faults.length > 0) return this.#refuse(source, faults.join("; "));
    const believed = this.#table;
    if (believed !== undefined) {
      const order = orderOfVersions(version, this.version);
      if (order === "same") return "same";
      if (order === "older") return this.#refuse(source, `it is older (version ${version})`);
      if (order === "beyond") return this.#refuse(source, `no publication can be at version ${version} yet`);
      if (table.placements.size === 0 && believed.placements.size > 0)
        return this.#refuse(source, "it names no tenant at all");
    }
    this.#table = table;
    this.#adopted.clear();
    this.#log("info", "directory read", { source, version, tenants: table.placements.size });
    return "accepted";
  }

  #refuse(source: string, reason: string): Offered {
    this.#log("warn", "directory not believed", { source, reason, believedVersion: this.version });
    return "refused";
  }
}

function find(table: DirectoryTable, tenantId: string): DirectoryPlacement | undefined {
  const record = table.placements.find(tenantId);
  if (record === -1) return undefined;
  const cell = table.cells[table.placements.cellAt(record)];
  return cell === undefined ? undefined : { cell, epoch: table.placements.epochAt(record) };
}
