export {
  type Decision,
  decide,
  type RejectReason,
  type RouteReason,
  type RouteRequest,
  type Serves,
} from "./decide.ts";
export { type ExplainedStep, type Explanation, explain } from "./explain.ts";
