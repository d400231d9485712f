import { homedir } from "node:os";
import { delimiter } from "node:path";
import { z } from "zod";

const text = z
  .string()
  .optional()
  .transform((v) => (v === undefined || v === "" ? undefined : v));

const environment = z.object({
  FIRESTORE_EMULATOR_JAR: text,
  JAVA_HOME: text,
  CLOUDSDK_ROOT_DIR: text,
  PATH: z.string().default(""),
});

/** What local-cloud takes from the environment. */
export interface LocalConfig {
  /** A Firestore emulator jar named by hand; goes before all others. */
  emulatorJar: string | undefined;
  javaHome: string | undefined;
  gcloudRoot: string | undefined;
  /** The folders of PATH, in order. */
  path: string[];
  home: string;
  /** The whole environment, to hand on to children. */
  inherited: NodeJS.ProcessEnv;
}

/** Keep Google's client libraries of this process from looking for a metadata server: everything here is local. */
export function stayLocal(env: NodeJS.ProcessEnv = process.env): void {
  env["METADATA_SERVER_DETECTION"] = "none";
}

/** Read the environment once; every path may be missing. */
export function readLocalConfig(env: NodeJS.ProcessEnv = process.env): LocalConfig {
  const parsed = environment.parse(env);
  return {
    emulatorJar: parsed.FIRESTORE_EMULATOR_JAR,
    javaHome: parsed.JAVA_HOME,
    gcloudRoot: parsed.CLOUDSDK_ROOT_DIR,
    path: parsed.PATH.split(delimiter).filter((folder) => folder !== ""),
    home: homedir(),
    inherited: env,
  };
}
