import type { DirectoryPlacement, HostTable, Placed } from "./types.ts";

/**
 * What to do about a cell that says it no longer holds a tenant, and who does.
 *
 * - `known`: the directory has already learnt of another cell since the request was sent on.
 * - `adopt`: exactly one move further than what is known, to another cell that exists.
 * - `ahead`: perhaps true, but more than this cell can know of for sure: the directory must be read again.
 * - `refuse`: nothing new, or nonsense.
 */
export type SuccessorVerdict = "known" | "adopt" | "ahead" | "refuse";

/**
 * Judge a successor. Pure.
 *
 * @param known What the directory says now.
 * @param asked The cell that answers, and the epoch by which it was asked.
 * @param told The cell that it names, and since which epoch.
 */
export function judgeSuccessor(
  known: DirectoryPlacement | undefined,
  asked: Placed,
  told: Placed,
  cells: HostTable["cells"],
): SuccessorVerdict {
  // Of a tenant that the directory does not list no cell can say how often it has moved.
  if (known === undefined) return "ahead";
  if (known.cell.id !== asked.cellId) return known.epoch > asked.epoch ? "known" : "refuse";
  if (told.cellId === asked.cellId || told.epoch <= known.epoch) return "refuse";
  return told.epoch === known.epoch + 1 && cells.has(told.cellId) ? "adopt" : "ahead";
}
