export * from "./buckets.ts";
export * from "./columns.ts";
export * from "./dictionary.ts";
export * from "./privacy.ts";
export * from "./rows.ts";
export * from "./tables.ts";
export * from "./terraform.ts";
export * from "./views.ts";
