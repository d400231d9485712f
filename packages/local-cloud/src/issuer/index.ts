export * from "./key.ts";
export * from "./server.ts";
export * from "./token.ts";
