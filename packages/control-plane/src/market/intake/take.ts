import { createHash } from "node:crypto";
import type { MarketPublishing } from "@proveniq/db/market/publishing";
import { RefusedError } from "../../refused.ts";
import { type MarketPublication, publishMarket } from "../publish.ts";
import { readValues } from "../read-values.ts";
import type { Inbox, Waiting } from "./inbox.ts";

/** What became of one object. */
export type Taken = { name: string } & (
  | { outcome: "published"; publication: MarketPublication }
  /** The very same was published under that name before. */
  | { outcome: "known" }
  | { outcome: "refused"; reasons: string }
  /** Another run took it, or somebody wrote it anew: the next one looks again. */
  | { outcome: "gone" }
);

/** Between the steps of an object, for tests. */
export type Step = "read" | "published" | "kept";

export interface TakeOptions {
  /** Told after each object. */
  report?: (taken: Taken) => void;
  /** Ends after the object that is under way. */
  signal?: AbortSignal;
  step?: (step: Step, name: string) => Promise<void> | void;
}

/**
 * Publish what waits, in the order of names, each object once. One that is no file of market values, or withdraws too many, or
 * sorts before what was published last, is set aside with the reasons; the next is tried all the same, because each is the whole
 * truth. Killed at any moment, the next run goes on. Two runs at once do no harm: of two that publish, one loses. Rejects with
 * `PublishingConflict` then, and with whatever the store or the database says: what waits stays.
 */
export async function takeMarket(
  inbox: Inbox,
  centre: MarketPublishing,
  options: TakeOptions = {},
): Promise<Taken[]> {
  const all: Taken[] = [];
  for (const object of await inbox.waiting()) {
    if (options.signal?.aborted === true) break;
    const taken = await take(inbox, centre, object, options.step ?? (() => undefined));
    options.report?.(taken);
    all.push(taken);
  }
  return all;
}

class Gone extends Error {}

async function take(
  inbox: Inbox,
  centre: MarketPublishing,
  object: Waiting,
  step: NonNullable<TakeOptions["step"]>,
): Promise<Taken> {
  const { name } = object;
  try {
    const hash = createHash("sha256");
    const values = await readValues(hashed(inbox.read(object), hash)).catch(async (error: unknown) => {
      if (!(await inbox.waits(object))) throw new Gone();
      throw error;
    });
    const sha256 = hash.digest("hex");
    await step("read", name);
    const before = await inbox.published(name);
    if (before === sha256) {
      await inbox.drop(object);
      return { name, outcome: "known" };
    }
    await refuseOld(inbox, name, before !== undefined);
    // After the head was read: another run that publishes what comes after this one has taken this one away before.
    const confirm = async () => {
      if (!(await inbox.waits(object))) throw new Gone();
    };
    const publication = await publishMarket(centre, values, { confirm });
    await step("published", name);
    await inbox.keep(object, sha256);
    await step("kept", name);
    return { name, outcome: "published", publication };
  } catch (error) {
    if (error instanceof Gone) return { name, outcome: "gone" };
    if (!(error instanceof RefusedError)) throw error;
    await inbox.setAside(object, error.message);
    return { name, outcome: "refused", reasons: error.message };
  }
}

async function refuseOld(inbox: Inbox, name: string, isKnown: boolean): Promise<void> {
  if (isKnown)
    throw new RefusedError(
      `Nothing was published: other values were published as ${name} before. Give them a name of their own.`,
    );
  const last = await inbox.lastPublished();
  if (last !== undefined && name < last)
    throw new RefusedError(
      `Nothing was published: ${name} sorts before ${last}, which was published last, and would undo it. If it shall, give it a later name.`,
    );
}

async function* hashed(source: AsyncIterable<Uint8Array>, hash: ReturnType<typeof createHash>) {
  for await (const chunk of source) {
    hash.update(chunk);
    yield chunk;
  }
}
