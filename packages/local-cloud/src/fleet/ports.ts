/** The ports of one cell on this machine. */
export interface CellPorts {
  api: number;
  bulk: number;
  emulator: number;
  relay: number;
  sink: number;
  /** Where another version of the cell stands beside the one that serves. */
  beside: { api: number; bulk: number };
}

export interface LocalPorts {
  router: number;
  /** The fleet's own control endpoint. */
  control: number;
  /** The development issuer. */
  issuer: number;
  /** The stand-in for BigQuery. */
  warehouse: { rest: number; grpc: number };
  /** What the router counts. */
  metrics: number;
  /** Of each residency's front door, for code that knows no names below localhost. */
  doors: { eu: number; us: number };
  central: { emulator: number; relay: number };
  cell(index: number): CellPorts;
}

/** Where the fleet listens unless told otherwise. */
export const defaultPortBase = 8080;
/** So that the highest port stays below 32768, where the system begins to give out ports of its own. */
export const maxPortBase = 32_000;
export const maxCells = 90;

/**
 * All ports of a local fleet, from the router's. A cell's are fixed by its place among all cells sorted by id, so
 * they do not change with the cells that happen to run.
 */
export function localPorts(base: number): LocalPorts {
  if (!Number.isInteger(base) || base < 1024 || base > maxPortBase) {
    throw new Error(`The port base must be a whole number from 1024 to ${maxPortBase}, not ${base}`);
  }
  return {
    router: base,
    control: base + 1,
    issuer: base + 2,
    warehouse: { rest: base + 3, grpc: base + 4 },
    metrics: base + 5,
    doors: { eu: base + 6, us: base + 7 },
    central: { emulator: base + 120, relay: base + 220 },
    cell(index) {
      if (!Number.isInteger(index) || index < 0 || index >= maxCells) {
        throw new Error(`A local fleet has at most ${maxCells} cells`);
      }
      const offset = 1 + 10 * (index % 10) + Math.floor(index / 10);
      return {
        api: base + 20 + offset,
        emulator: base + 120 + offset,
        relay: base + 220 + offset,
        bulk: base + 320 + offset,
        sink: base + 420 + offset,
        beside: { api: base + 520 + offset, bulk: base + 620 + offset },
      };
    },
  };
}
