export { FolderInbox } from "./intake/folder.ts";
export type { Inbox, Waiting } from "./intake/inbox.ts";
export { type Taken, takeMarket } from "./intake/take.ts";
export { type MarketPublication, type PublishOptions, publishMarket, renewMarket } from "./publish.ts";
export { readValues } from "./read-values.ts";
export {
  type MarketVerdict,
  type ReplicaAccess,
  type ReplicaVerdict,
  replicasOf,
  verifyMarket,
} from "./verify.ts";
