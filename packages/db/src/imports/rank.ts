import { importLimits } from "@proveniq/contracts";

/** Which import, and which of its rows, decided about an item last. Later ones win, in whatever order they come. */
export interface Rank {
  /** The import's place among the tenant's imports. */
  job: number;
  /** Chunk and place in the chunk as one number. */
  row: number;
}

const span = 8192;
if (span < importLimits.chunkRows) throw new Error("rows of a chunk must fit into their part of a rank");

export function rankRow(chunk: number, at: number): number {
  return chunk * span + at;
}

/** The chunk and the place in it that a rank's row stands for. */
export function rowOfRank(row: number): { chunk: number; at: number } {
  return { chunk: Math.floor(row / span), at: row % span };
}

/** Negative when `a` is lower: it must not overwrite `b`. */
export function compareRanks(a: Rank, b: Rank): number {
  return a.job - b.job || a.row - b.row;
}
