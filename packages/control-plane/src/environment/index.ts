export { type CloudAccess, cloudEnvironment, titleOf } from "./cloud.ts";
export { operator } from "./operator.ts";
export type { Environment } from "./types.ts";
