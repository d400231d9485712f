export type { ClientConnection } from "./client-connection.ts";
export type { ConnectionLimits, Shortage } from "./client-connections.ts";
export { descriptorLimit } from "./descriptors.ts";
export {
  type EdgeParts,
  edgeServerOptions,
  HttpEdge,
  type RefusedHead,
} from "./edge.ts";
export {
  type ConfiguredEdge,
  type EdgeEnvironment,
  edgeEnvironment,
  edgeLimitsOf,
} from "./edge-environment.ts";
export { defaultEdgeLimits, type EdgeLimits } from "./edge-limits.ts";
export type { EdgeExchange } from "./exchange.ts";
export { framingFault, headFault } from "./head-rule.ts";
export { requestIdOf, type Trace, traceOf } from "./ids.ts";
export { LineWriter } from "./line-writer.ts";
export { listen } from "./listen.ts";
export type { ClientError } from "./parser-errors.ts";
export { type AnswerIds, answerProblem, type ProblemAnswer, problemText } from "./problem-answer.ts";
export { type LingerLimits, Sockets } from "./sockets.ts";
export { tenantHash } from "./tenant-hash.ts";
export { defaultUnreadLimits, readAway, readAwayAfter, type UnreadLimits } from "./unread.ts";
