export { Market, type MarketEmulators } from "./market.ts";
export { type MarketPublication, type PublishOptions, publishMarket, renewMarket } from "./publish.ts";
export { readValues } from "./read-values.ts";
export { type MarketVerdict, type ReplicaAccess, type ReplicaVerdict, verifyMarket } from "./verify.ts";
