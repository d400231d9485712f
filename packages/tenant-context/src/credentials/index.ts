export * from "./authenticator.ts";
export * from "./development.ts";
