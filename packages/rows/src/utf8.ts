import { isUtf8 } from "node:buffer";

/** Offset of the first byte that is not part of well-formed UTF-8; undefined when all is well. */
export function firstBadByte(bytes: Uint8Array): number | undefined {
  if (isUtf8(bytes)) return undefined;
  // Halve: the longest well-formed prefix, cut back to where a character begins.
  let good = 0;
  let bad = bytes.length;
  while (bad - good > 1) {
    const middle = boundary(bytes, good, (good + bad) >>> 1);
    if (middle === good) break;
    if (isUtf8(bytes.subarray(good, middle))) good = middle;
    else bad = middle;
  }
  while (good < bad) {
    const length = [1, 2, 3, 4].find(
      (n) => good + n <= bytes.length && isUtf8(bytes.subarray(good, good + n)),
    );
    if (length === undefined) return good;
    good += length;
  }
  return good;
}

/** Back from `at` to a byte that begins a character, but not past `from`. */
function boundary(bytes: Uint8Array, from: number, at: number): number {
  let found = at;
  for (let n = 0; n < 3 && found > from && ((bytes[found] ?? 0) & 0xc0) === 0x80; n++) found--;
  return found;
}
