export { type MarketPublication, type PublishOptions, publishMarket, renewMarket } from "./publish.ts";
export { readValues } from "./read-values.ts";
export {
  type MarketVerdict,
  type ReplicaAccess,
  type ReplicaVerdict,
  replicasOf,
  verifyMarket,
} from "./verify.ts";
