/**
 * Names that were deleted and lie in the way of scans until the database has cleaned up: a scan over n of them costs n.
 * https://firebase.google.com/docs/firestore/best-practices says to avoid queries that pass over deleted data; with point-in-time
 * recovery it stays for seven days (https://firebase.google.com/docs/firestore/pitr).
 */
export class Tombstones {
  readonly #collections = new Map<string, { names: Set<string>; sorted: string[] | undefined }>();

  deleted(collection: string, id: string): void {
    const known = this.#collections.get(collection) ?? { names: new Set<string>(), sorted: undefined };
    this.#collections.set(collection, known);
    if (!known.names.has(id)) known.sorted = undefined;
    known.names.add(id);
  }

  /** Written again: nothing lies there any more. */
  written(collection: string, id: string): void {
    const known = this.#collections.get(collection);
    if (known?.names.delete(id) === true) known.sorted = undefined;
  }

  /** How many lie strictly between two ids; without `after` from the start, without `until` to the end. */
  between(collection: string, after: string | undefined, until: string | undefined): number {
    const known = this.#collections.get(collection);
    if (known === undefined) return 0;
    known.sorted ??= [...known.names].sort();
    const from = after === undefined ? 0 : firstPast(known.sorted, after);
    const to = until === undefined ? known.sorted.length : firstPast(known.sorted, until);
    return Math.max(0, to - from);
  }
}

function firstPast(sorted: readonly string[], name: string): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] ?? "") <= name) low = middle + 1;
    else high = middle;
  }
  return low;
}
