import { headers, ProblemError, type ReplicaStatus, type ValuedItem } from "@proveniq/contracts";
import type { FoundValues, MarketReader } from "@proveniq/db/market/reader";
import type { StoredItem } from "@proveniq/db/tenant";
import { valuationOf } from "./estimate.ts";

/** The part of the market reader that answers need. */
export type MarketValues = Pick<MarketReader, "values" | "status">;

export interface ValuedItems {
  items: { item: ValuedItem; etag: string }[];
  /** How fresh the values are; none when there was nothing to value or the replica could not be read. */
  headers: Record<string, string>;
}

/**
 * Items with what they are worth, in one round trip for all of them. An item is worth being shown without its
 * value: when the replica cannot be read there are no valuations, and no headers that would vouch for any.
 */
export async function withValuations(
  market: MarketValues,
  stored: readonly StoredItem[],
): Promise<ValuedItems> {
  const keys = stored.flatMap(({ item }) => item.marketKey ?? []);
  const found = keys.length === 0 ? undefined : await readable(market.values(keys));
  const items = stored.map(({ item, etag }) => {
    const value = item.marketKey === undefined ? undefined : found?.values.get(item.marketKey);
    return value === undefined
      ? { item, etag }
      : {
          item: { ...item, valuation: valuationOf(value, item.condition) },
          etag: valuedTag(etag, value.sequence),
        };
  });
  return { items, headers: found === undefined ? {} : replicaHeaders(found.replica) };
}

export function replicaHeaders({ sequence, ageSeconds }: ReplicaStatus): Record<string, string> {
  return {
    [headers.marketSequence]: String(sequence),
    ...(ageSeconds === null ? {} : { [headers.marketAge]: String(ageSeconds) }),
  };
}

/** The tag of an item together with a value: another value is another representation. */
function valuedTag(etag: string, sequence: number): string {
  return etag.replace(/"$/, `+${sequence}"`);
}

/** The item's own tag. What a thing is worth is nothing a writer can have overwritten. */
export function itemTag(etag: string): string {
  return etag.replace(/\+[0-9]+"$/, '"');
}

async function readable(found: Promise<FoundValues>): Promise<FoundValues | undefined> {
  try {
    return await found;
  } catch (error) {
    if (error instanceof ProblemError && error.code === "database-unavailable") return undefined;
    throw error;
  }
}
