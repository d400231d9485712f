import { defaultDatabase, faultsOf, type Pausable, type Pause, pause } from "@proveniq/contracts";
import { type Origin, setPause } from "@proveniq/db/control";
import { pausedIn } from "@proveniq/db/pauses";
import type { CellDatabases, Connections } from "../connections.ts";
import { knownCell } from "../fleet/known-cell.ts";
import { RefusedError } from "../refused.ts";

/** Within this many seconds a cell does what it was told: it looks every five, and ends the page that it works on. */
export const feltWithinSeconds = 10;

interface Cells {
  manifests: Readonly<Record<string, CellDatabases>>;
}

/** What is to stand still, where, and why. */
export interface PauseRequest {
  cell: string;
  what: Pausable;
  reason: string;
}

/**
 * Let the imports, the sink or the replicator of a cell stand still, with an audit record in the same commit. It is kept in
 * the cell's own database, so neither the cell nor its operator needs the centre for it. `changed` is false when it is paused
 * for that very reason already. Throws `RefusedError` for a cell that is not there and for a reason that cannot be kept.
 */
export async function pauseCell(
  connections: Pick<Connections, "cell">,
  fleet: Cells,
  { cell, what, reason }: PauseRequest,
  origin: Origin,
  now: () => Date = () => new Date(),
): Promise<{ pause: Pause; changed: boolean }> {
  const database = databaseOf(fleet, cell, what);
  const since = now().toISOString();
  const parsed = pause.safeParse({ ...origin, what, since, reason: reason.trim() });
  if (!parsed.success)
    throw new RefusedError(
      faultsOf(parsed.error)
        .map((f) => `${f.path.slice(1)} ${f.message}`)
        .join("; "),
    );
  const wanted = parsed.data;
  const changed = await setPause(connections.cell(cell), database, what, wanted, {
    ...origin,
    at: since,
    action: `${what}.pause`,
    target: cell,
    detail: { reason: wanted.reason },
  });
  return { pause: wanted, changed };
}

/** Let it go on. `changed` is false when it was not paused. Throws `RefusedError` for a cell that is not there. */
export async function resumeCell(
  connections: Pick<Connections, "cell">,
  fleet: Cells,
  { cell, what }: Omit<PauseRequest, "reason">,
  origin: Origin,
  now: () => Date = () => new Date(),
): Promise<{ changed: boolean }> {
  const database = databaseOf(fleet, cell, what);
  const audit = { ...origin, at: now().toISOString(), action: `${what}.resume`, target: cell, detail: {} };
  return { changed: await setPause(connections.cell(cell), database, what, undefined, audit) };
}

function databaseOf({ manifests }: Cells, cell: string, what: Pausable): string {
  const manifest = knownCell(manifests, cell);
  return pausedIn(what, defaultDatabase(manifest), manifest.marketDatabase.id);
}
