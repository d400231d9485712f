import { type ChangePage, type MarketValue, marketLimits, type PublishedValue } from "@proveniq/contracts";

/** What has to be published so that what is published becomes what is wanted. */
export interface Difference {
  upserts: MarketValue[];
  withdrawn: string[];
  unchanged: number;
}

/** Compare what is published with what shall be, both by key. The result is sorted by key. */
export function differenceOf(
  published: ReadonlyMap<string, PublishedValue>,
  wanted: ReadonlyMap<string, MarketValue>,
): Difference {
  const upserts = [...wanted.values()].filter((value) => {
    const present = published.get(value.marketKey);
    return present === undefined || !sameQuotation(present, value);
  });
  const withdrawn = [...published.keys()].filter((key) => !wanted.has(key));
  return {
    upserts: upserts.sort((a, b) => (a.marketKey < b.marketKey ? -1 : 1)),
    withdrawn: withdrawn.sort(),
    unchanged: wanted.size - upserts.length,
  };
}

function sameQuotation(a: MarketValue, b: MarketValue): boolean {
  return (
    a.currency === b.currency &&
    a.medianMinor === b.medianMinor &&
    a.p10Minor === b.p10Minor &&
    a.p90Minor === b.p90Minor &&
    a.sampleSize === b.sampleSize &&
    a.asOf === b.asOf
  );
}

/** Cut a difference into pages of at most 500 changes, in the order in which they get their sequence. */
export function pagesOf({ upserts, withdrawn }: Difference): Pick<ChangePage, "upserts" | "withdrawn">[] {
  const size = marketLimits.pageValues;
  const pages: Pick<ChangePage, "upserts" | "withdrawn">[] = [];
  for (let from = 0; from < upserts.length; from += size) {
    pages.push({ upserts: upserts.slice(from, from + size), withdrawn: [] });
  }
  for (let from = 0; from < withdrawn.length; from += size) {
    pages.push({ upserts: [], withdrawn: withdrawn.slice(from, from + size) });
  }
  return pages;
}
