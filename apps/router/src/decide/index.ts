export { type Decision, decide, type RejectReason, type RouteReason, type RouteRequest } from "./decide.ts";
