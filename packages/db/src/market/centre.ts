export { applyPage, contentsAt } from "./contents.ts";
export { BucketDigests, bucketOf } from "./digest.ts";
export { PublishedMarket } from "./published.ts";
