import { z } from "zod";

const environment = z.object({
  PORT: z.coerce.number().int().min(0).max(65_535).default(8080),
  HOST: z.string().min(1).default("0.0.0.0"),
  DIRECTORY_FILE: z.string().min(1, "is the path of a directory snapshot (JSON)"),
  PROVENIQ_ENV: z.enum(["development", "production"]).default("production"),
  LOG_LEVEL: z.enum(["debug", "info", "warn", "error", "silent"]).default("info"),
});

export interface RouterConfig {
  port: number;
  host: string;
  directoryFile: string;
  development: boolean;
  logLevel: z.infer<typeof environment>["LOG_LEVEL"];
}

/** Read the router's configuration. Throws one Error that names every fault. */
export function readConfig(env: NodeJS.ProcessEnv = process.env): RouterConfig {
  const parsed = environment.safeParse(env);
  if (!parsed.success) {
    const lines = parsed.error.issues.map((issue) => `  ${issue.path.join(".")}: ${issue.message}`);
    throw new Error(`The router's environment is not valid:\n${lines.join("\n")}`);
  }
  const { PORT, HOST, DIRECTORY_FILE, PROVENIQ_ENV, LOG_LEVEL } = parsed.data;
  return {
    port: PORT,
    host: HOST,
    directoryFile: DIRECTORY_FILE,
    development: PROVENIQ_ENV === "development",
    logLevel: LOG_LEVEL,
  };
}
