import { RefusedError } from "../refused.ts";

/** What is kept of a cell, by its id. Throws `RefusedError`, which names those there are, for an id that is no cell's. */
export function knownCell<Cell>(cells: Readonly<Record<string, Cell>>, id: string): Cell {
  const cell = Object.hasOwn(cells, id) ? cells[id] : undefined;
  if (cell !== undefined) return cell;
  throw new RefusedError(`There is no cell "${id}". There are ${Object.keys(cells).join(", ")}.`);
}
