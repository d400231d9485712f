/**
 * Ids of imported items are hashes in hex, so shares of the ids that are equally wide hold about equally many. A bucket is a
 * share that is kept together; a range is a share that is decided together: a whole bucket or an equal part of one.
 */

/** Buckets of an import at the most: each chunk has a document for each. */
const mostBuckets = 32;
/** About how many bytes a row takes when it is kept. */
const usualRow = 400;
/** About how many bytes of a range are in memory. */
const rangeBytes = 2 * 1024 * 1024;
/** Ranges of an import at the most. */
const mostRanges = 2_048;
const span = 2 ** 32;

/** Into how many buckets an import's rows go. `rows`: as many as are expected, if that is known. */
export function bucketsFor(rows: number | undefined): number {
  if (rows === undefined) return 8;
  return Math.max(1, Math.min(mostBuckets, Math.ceil((rows * usualRow) / rangeBytes)));
}

/** How many ranges there should be, given the bytes that each bucket holds. A multiple of the buckets. */
export function rangesFor(bytes: readonly number[]): number {
  const parts = Math.max(1, Math.ceil(Math.max(...bytes) / rangeBytes));
  return bytes.length * Math.min(parts, Math.max(1, Math.floor(mostRanges / bytes.length)));
}

/** In which of `count` equal shares an id lies. */
export function shareOf(id: string, count: number): number {
  const place = Number.parseInt(id.slice(0, 8), 16);
  return Math.floor((place * count) / span);
}

/** The bucket of a range. */
export function bucketOf(range: number, ranges: number, buckets: number): number {
  return Math.floor(range / (ranges / buckets));
}

/** The lowest id of a share: it, and all up to the next share's lowest, belong to it. */
export function lowestOf(range: number, ranges: number): string {
  if (range >= ranges) return "~";
  return range === 0
    ? ""
    : Math.ceil((range * span) / ranges)
        .toString(16)
        .padStart(8, "0");
}

/**
 * The order in which ranges are written: those next to one another far apart, so that what is written at a time spreads over
 * all names and no part of the database takes the load alone.
 */
export function spreadOrder(ranges: number, lanes: number): number[] {
  const width = Math.ceil(ranges / lanes);
  const order: number[] = [];
  for (let n = 0; n < width; n++) {
    for (let lane = 0; lane < lanes; lane++) {
      const range = lane * width + n;
      if (range < ranges) order.push(range);
    }
  }
  return order;
}
