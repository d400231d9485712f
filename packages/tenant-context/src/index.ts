export * from "./context.ts";
export * from "./hint.ts";
