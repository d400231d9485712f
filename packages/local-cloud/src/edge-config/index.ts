export { type EdgeConfigServer, startEdgeConfig } from "./server.ts";
