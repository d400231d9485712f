/** What is said to whoever sends another target. */
export const plainTargetRule =
  "The path must be plain: printable ASCII, no empty or dot segments, no backslash, nothing escaped that needs no escape.";

/**
 * True for a request target that all servers read alike: it starts with one slash, is printable ASCII, has no
 * fragment, and its path has no backslash, no empty, `.` or `..` segment and no escape of a character that needs
 * none. Whoever lets `/x/../t/a` or `/%74/a` pass leaves it to the next server which tenant was meant.
 */
export function isPlainTarget(target: string): boolean {
  if (target.charCodeAt(0) !== slash) return false;
  let inPath = true;
  for (let i = 0; i < target.length; i += 1) {
    const c = target.charCodeAt(i);
    if (c <= 0x20 || c >= 0x7f || c === 0x23) return false;
    if (!inPath) continue;
    if (c === 0x3f) inPath = false;
    else if (c === slash) {
      if (isOddSegment(target, i + 1)) return false;
    } else if (c === 0x5c) return false;
    else if (c === 0x25 && !isNeededEscape(target, i)) return false;
  }
  return true;
}

/** True for `/v1/imports` and what is below it, with or without the tenant in front: bulk has its own service. */
export function isBulkTarget(target: string): boolean {
  const start = target.startsWith("/t/") ? target.indexOf("/", 3) : 0;
  if (start === -1 || !target.startsWith("/v1/imports", start)) return false;
  const next = target.charCodeAt(start + 11);
  return Number.isNaN(next) || next === slash || next === 0x3f;
}

const slash = 0x2f;

/** Empty (but for a slash at the very end), `.` or `..`. */
function isOddSegment(target: string, start: number): boolean {
  const c = target.charCodeAt(start);
  if (c === slash) return true;
  if (c !== 0x2e) return false;
  const next =
    target.charCodeAt(start + 1) === 0x2e ? target.charCodeAt(start + 2) : target.charCodeAt(start + 1);
  return Number.isNaN(next) || next === slash || next === 0x3f;
}

/** False for a broken escape and for one of a letter, a digit, `-._~`, a slash, a backslash or a control character. */
function isNeededEscape(target: string, at: number): boolean {
  const high = hexDigit(target.charCodeAt(at + 1));
  const low = hexDigit(target.charCodeAt(at + 2));
  if (high === -1 || low === -1) return false;
  const c = high * 16 + low;
  if (c < 0x20 || c === 0x7f || c === slash || c === 0x5c) return false;
  return !isUnreserved(c);
}

function isUnreserved(c: number): boolean {
  const lower = c | 0x20;
  return (
    (lower >= 0x61 && lower <= 0x7a) ||
    (c >= 0x30 && c <= 0x39) ||
    c === 0x2d ||
    c === 0x2e ||
    c === 0x5f ||
    c === 0x7e
  );
}

function hexDigit(c: number): number {
  if (c >= 0x30 && c <= 0x39) return c - 0x30;
  const lower = c | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}
