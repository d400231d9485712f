import type { Category, Item, Portfolio, ReplicaStatus } from "@proveniq/contracts";
import type { ItemPosition } from "../tenant/types.ts";

/** What of an item a portfolio is made of. */
export interface PortfolioItem {
  category: Category;
  condition?: Item["condition"];
  marketKey?: string;
  insuredValue?: Item["insuredValue"];
}

export interface ScannedItem extends PortfolioItem {
  /** Where a scan that is broken off here goes on. */
  position: ItemPosition;
}

/** A count of a large book that is under way. */
export interface PortfolioScan {
  /** Who counts, until when that is believed, and since when the count runs. Times as ISO text. */
  holder: string;
  until: string;
  startedAt: string;
  replica: ReplicaStatus;
  /** The last item that is in `sums`; absent at the start. */
  position?: ItemPosition;
  counted: number;
  sums: string;
}

/** What is kept of a large book's portfolio. It can be made anew from the items at any time. */
export interface PortfolioRecord {
  /** The last one that was counted to the end. */
  result?: Portfolio;
  scan?: PortfolioScan;
}

/** The portfolio of a binding: of a person's items with an owner, of the whole book without. */
export interface PortfolioRepository {
  /** The first items, at most `limit`. */
  first(limit: number): Promise<PortfolioItem[]>;
  /** Every item after a position, in one stream. Ends early by a throw of Firestore's; go on from the last position. */
  scan(after: ItemPosition | undefined): AsyncIterable<ScannedItem>;
  read(): Promise<PortfolioRecord | undefined>;
  /**
   * Change the record in a transaction. `step` gets what is there and the database's time in milliseconds; it answers
   * what shall be there, `null` for nothing, or `undefined` to leave it. Resolves with what `step` answered last.
   */
  change(
    step: (present: PortfolioRecord | undefined, now: number) => PortfolioRecord | null | undefined,
  ): Promise<PortfolioRecord | null | undefined>;
}
