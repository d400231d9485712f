import { faultsOf, type MarketValue, marketValue } from "@proveniq/contracts";
import { RefusedError } from "../refused.ts";

/** Faults that are told one by one; the rest is counted. */
const shownFaults = 20;

interface Entry {
  /** Where it is in the input, for people. */
  at: string;
  text: string;
}

/**
 * Read the values that shall be published: an object on each line, or one JSON array of them. Throws
 * `RefusedError` with the first faults and where they are: a file with any fault is not published at all.
 */
export async function readValues(
  source: AsyncIterable<string | Uint8Array>,
): Promise<Map<string, MarketValue>> {
  const values = new Map<string, MarketValue>();
  const seenAt = new Map<string, string>();
  const faults: string[] = [];
  for await (const { at, json } of parsed(source, faults)) {
    const checked = marketValue.safeParse(json);
    if (!checked.success) {
      faults.push(...faultsOf(checked.error).map((f) => `${at}: ${f.path.slice(1) || "it"} ${f.message}`));
      continue;
    }
    const { marketKey } = checked.data;
    const first = seenAt.get(marketKey);
    if (first !== undefined) faults.push(`${at}: ${marketKey} has a value at ${first} already`);
    else seenAt.set(marketKey, at);
    values.set(marketKey, checked.data);
  }
  if (faults.length > 0) {
    const lines = faults.slice(0, shownFaults).map((fault) => `  ${fault}`);
    if (faults.length > shownFaults) lines.push(`  and ${faults.length - shownFaults} more`);
    throw new RefusedError(`Nothing was published: not all values are valid.\n${lines.join("\n")}`);
  }
  if (values.size === 0) throw new RefusedError("Nothing was published: the input holds no value.");
  return values;
}

async function* parsed(source: AsyncIterable<string | Uint8Array>, faults: string[]) {
  let array: string[] | undefined;
  let begun = false;
  for await (const { at, text } of lines(source)) {
    if (!begun && text.trim() === "") continue;
    if (!begun && text.trimStart().startsWith("[")) array = [];
    begun = true;
    if (array !== undefined) array.push(text);
    else if (text.trim() !== "") {
      const json = parse({ at, text }, faults);
      if (json !== undefined) yield { at, json };
    }
  }
  if (array === undefined) return;
  const all = parse({ at: "the array", text: array.join("\n") }, faults);
  if (Array.isArray(all)) {
    for (const [n, json] of all.entries()) yield { at: `entry ${n + 1}`, json: json as unknown };
  }
}

function parse({ at, text }: Entry, faults: string[]): unknown {
  try {
    return JSON.parse(text);
  } catch {
    faults.push(`${at}: is not valid JSON`);
    return undefined;
  }
}

/** Lines without their ends. Throws `RefusedError` on bytes that are not UTF-8. */
async function* lines(source: AsyncIterable<string | Uint8Array>): AsyncGenerator<Entry> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let rest = "";
  let n = 0;
  const decode = (bytes?: Uint8Array): string => {
    try {
      return bytes === undefined ? decoder.decode() : decoder.decode(bytes, { stream: true });
    } catch {
      throw new RefusedError(`Nothing was published: the input is not UTF-8 (after line ${n}).`);
    }
  };
  for await (const chunk of source) {
    const found = (rest + (typeof chunk === "string" ? chunk : decode(chunk))).split(/\r?\n/);
    rest = found.pop() ?? "";
    for (const text of found) yield { at: `line ${++n}`, text };
  }
  rest += decode();
  if (rest !== "") yield { at: `line ${++n}`, text: rest };
}
