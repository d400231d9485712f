import type { DocumentReference, Firestore } from "@google-cloud/firestore";
import {
  type ArtefactRef,
  type CellDeploys,
  cellDeploys,
  type DeployRecord,
  deployRecord,
  type Lease,
  type RolloutRecord,
  rolloutRecord,
} from "@proveniq/contracts";
import { operationTimeoutMs, withinDeadline } from "../failures.ts";
import { LeaseHeld, LeaseLost } from "../lease/lease.ts";
import type { DatabasePool } from "../pool.ts";

/**
 * Deploys and rollouts, in a database of their own in the central project: what each cell runs, who works on it under a lease, and
 * the timeline of each deploy. Every change is one transaction that checks the lease.
 */
export class DeployBook {
  readonly #pool: DatabasePool;
  readonly #databaseId: string;

  constructor(pool: DatabasePool, databaseId: string) {
    this.#pool = pool;
    this.#databaseId = databaseId;
  }

  /** What is known of a cell; nothing but its id for one that was never deployed. */
  async cell(id: string): Promise<CellDeploys> {
    return this.#run(async (db) => readCell(await cellRef(db, id).get(), id));
  }

  /**
   * Begin a deploy: takes the cell's lease, and closes as `abandoned` a deploy whose process let go of it. Throws
   * `LeaseHeld` while another holds it. `dead`: the lease of a process that gave no sign of life while whoever asks waited a whole
   * lease; no clock of another machine is believed.
   */
  async begin(record: DeployRecord, lease: Lease, now: Date, dead?: Lease): Promise<CellDeploys> {
    const checked = deployRecord.parse(record);
    return this.#run((db) =>
      db.runTransaction(async (tx) => {
        const ref = cellRef(db, checked.cellId);
        const cell = readCell(await tx.get(ref), checked.cellId);
        if (cell.deployId === checked.id) return cell;
        refuseHeld(`cell ${checked.cellId}`, cell.lease, lease, dead);
        const left = cell.deployId === undefined ? undefined : await tx.get(deployRef(db, cell.deployId));
        if (left?.exists === true && left.get("outcome") === "running")
          tx.update(left.ref, { outcome: "abandoned", endedAt: now.toISOString() });
        tx.create(deployRef(db, checked.id), checked);
        tx.set(ref, cellDeploys.parse({ ...cell, lease, deployId: checked.id }));
        return cell;
      }),
    );
  }

  /** Adds to a deploy's timeline and keeps its lease. Throws `LeaseLost`. */
  async note(
    { id, cellId }: Pick<DeployRecord, "id" | "cellId">,
    lease: Lease,
    entries: DeployRecord["timeline"],
    change: Pick<DeployRecord, "previous"> = {},
  ): Promise<void> {
    await this.#run((db) =>
      db.runTransaction(async (tx) => {
        const [cell, deploy] = await tx.getAll(cellRef(db, cellId), deployRef(db, id));
        checkHeld(`cell ${cellId}`, cell?.get("lease"), lease);
        tx.update(cellRef(db, cellId), { lease });
        const record = deployRecord.parse(deploy?.data());
        // A rerun of this transaction after a commit whose answer was lost finds its own entries.
        const known = new Set(record.timeline.map((e) => `${e.at} ${e.step} ${e.text}`));
        const fresh = entries.filter((e) => !known.has(`${e.at} ${e.step} ${e.text}`));
        const timeline = [...record.timeline, ...fresh].slice(-200);
        tx.set(deployRef(db, id), deployRecord.parse({ ...record, ...change, timeline }));
      }),
    );
  }

  /**
   * Ends a deploy and gives back its lease. With `serving` the cell is recorded to run that; `back`: it was gone back to, and what it
   * replaced is no version to go back to. Throws `LeaseLost`.
   */
  async finish(
    { id, cellId }: Pick<DeployRecord, "id" | "cellId">,
    lease: Lease,
    end: {
      outcome: DeployRecord["outcome"];
      at: Date;
      reason?: string;
      serving?: ArtefactRef;
      back?: boolean;
    },
  ): Promise<void> {
    await this.#run((db) =>
      db.runTransaction(async (tx) => {
        const [cell, deploy] = await tx.getAll(cellRef(db, cellId), deployRef(db, id));
        const record = deployRecord.parse(deploy?.data());
        if (record.endedAt !== undefined && record.outcome === end.outcome) return;
        checkHeld(`cell ${cellId}`, cell?.get("lease"), lease);
        const known = cellDeploys.parse(cell?.data());
        const { outcome, reason, serving, back = false } = end;
        const became = {
          ...record,
          outcome,
          endedAt: end.at.toISOString(),
          ...(reason === undefined ? {} : { reason: reason.slice(0, 2_000) }),
        };
        tx.set(deployRef(db, id), deployRecord.parse(became));
        tx.set(
          cellRef(db, cellId),
          cellDeploys.parse({ cellId, ...moved(known, serving, record.previous, back) }),
        );
      }),
    );
  }

  /** The last deploys, newest first. */
  async recent(limit: number, cellId?: string): Promise<DeployRecord[]> {
    return this.#run(async (db) => {
      const { docs } = await db.collection("deploys").get();
      const all = docs.map((d) => deployRecord.parse(d.data()));
      return all
        .filter((d) => cellId === undefined || d.cellId === cellId)
        .sort((a, b) => (a.startedAt < b.startedAt ? 1 : -1))
        .slice(0, limit);
    });
  }

  /** The rollout that was begun last, whether or not it has ended. */
  async latestRollout(): Promise<RolloutRecord | undefined> {
    return this.#run(async (db) => {
      const { docs } = await db.collection("rollouts").get();
      const all = docs.map((d) => rolloutRecord.parse(d.data()));
      return all.sort((a, b) => (a.startedAt < b.startedAt ? 1 : -1))[0];
    });
  }

  /**
   * Take up a rollout, new or left by another, under `record.lease`. Throws `LeaseHeld` while another works on this or any
   * other one; `dead` as in `begin`.
   */
  async openRollout(record: RolloutRecord, dead?: Lease): Promise<RolloutRecord> {
    return this.#run((db) =>
      db.runTransaction(async (tx) => {
        const { docs } = await tx.get(db.collection("rollouts"));
        const all = docs.map((d) => rolloutRecord.parse(d.data()));
        const open = all.filter((each) => each.outcome === "running");
        for (const each of open) refuseHeld("the fleet's rollout", each.lease, record.lease, dead);
        const same = open.find((each) => each.id === record.id);
        const next = rolloutRecord.parse(same === undefined ? record : { ...same, lease: record.lease });
        tx.set(rolloutRef(db, record.id), next);
        return next;
      }),
    );
  }

  /** Keep how far a rollout is. Throws `LeaseLost`. */
  async saveRollout(record: RolloutRecord, lease: Lease): Promise<void> {
    const checked = rolloutRecord.parse(record);
    await this.#run((db) =>
      db.runTransaction(async (tx) => {
        const ref = rolloutRef(db, checked.id);
        const there = rolloutRecord.parse((await tx.get(ref)).data());
        if (there.outcome !== "running" && there.outcome === checked.outcome) return;
        checkHeld("the fleet's rollout", there.lease, lease);
        tx.set(ref, checked);
      }),
    );
  }

  #run<T>(work: (db: Firestore) => Promise<T>): Promise<T> {
    return withinDeadline(operationTimeoutMs, async () => work(await this.#pool.open(this.#databaseId)));
  }
}

const cellRef = (db: Firestore, id: string): DocumentReference => db.collection("cellDeploys").doc(id);
const deployRef = (db: Firestore, id: string): DocumentReference => db.collection("deploys").doc(id);
const rolloutRef = (db: Firestore, id: string): DocumentReference => db.collection("rollouts").doc(id);

function readCell(snapshot: { exists: boolean; data(): unknown }, cellId: string): CellDeploys {
  return snapshot.exists ? cellDeploys.parse(snapshot.data()) : { cellId };
}

/** How many versions a cell can be taken back. */
const keptVersions = 10;

/**
 * What a cell runs after a deploy that ended well, and what it ran before, newest first: where rollbacks go. What was gone back from
 * is not among them. `found` is what the deploy found there; it counts where nothing was recorded. Pure.
 */
function moved(
  known: CellDeploys,
  now: ArtefactRef | undefined,
  found: ArtefactRef | undefined,
  back: boolean,
): Pick<CellDeploys, "serving" | "previous" | "older"> {
  const { serving, previous, older = previous === undefined ? [] : [previous] } = known;
  if (now === undefined) return pick({ serving, previous, older: known.older });
  const left = serving ?? found;
  const at = older.findIndex(({ digest }) => digest === now.digest);
  const others = back && at >= 0 ? older.slice(at + 1) : older.filter((each) => each.digest !== now.digest);
  const isNews = !back && left !== undefined && left.digest !== now.digest;
  const kept = isNews ? [left, ...others.filter((each) => each.digest !== left.digest)] : others;
  return pick({ serving: now, previous: kept[0], older: kept.slice(0, keptVersions) });
}

/** Without what is not known: the database takes no undefined. */
function pick(
  all: { [K in "serving" | "previous" | "older"]: CellDeploys[K] | undefined },
): Pick<CellDeploys, "serving" | "previous" | "older"> {
  const { serving, previous, older } = all;
  return {
    ...(serving === undefined ? {} : { serving }),
    ...(previous === undefined ? {} : { previous }),
    ...(older === undefined ? {} : { older }),
  };
}

function refuseHeld(
  what: string,
  held: Lease | undefined,
  wanted: Lease | undefined,
  dead: Lease | undefined,
): void {
  if (held === undefined || held.token === wanted?.token) return;
  // A sign of life would have changed it.
  if (held.token === dead?.token && held.until === dead.until) return;
  throw new LeaseHeld(what, held);
}

function checkHeld(what: string, held: unknown, mine: Lease): void {
  const token = typeof held === "object" && held !== null && "token" in held ? held.token : undefined;
  if (token !== mine.token) throw new LeaseLost(what);
}
