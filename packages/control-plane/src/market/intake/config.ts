import { z } from "zod";

const environment = z
  .object({
    CENTRAL_PROJECT: z.string().min(1),
    CENTRAL_MARKET_DATABASE: z.string().min(1),
    MARKET_BUCKET: z.string().min(1).optional(),
    MARKET_FOLDER: z.string().min(1).optional(),
    /** Both for this machine alone. */
    STORAGE_ENDPOINT: z.url().optional(),
    FIRESTORE_EMULATOR_HOST: z.string().min(1).optional(),
  })
  .refine((env) => (env.MARKET_BUCKET === undefined) !== (env.MARKET_FOLDER === undefined), {
    path: ["MARKET_BUCKET"],
    error: "exactly one of MARKET_BUCKET and MARKET_FOLDER is needed",
  });

export interface JobConfig {
  central: { project: string; marketDatabase: string };
  place: { folder: string } | { bucket: string; endpoint: string | undefined };
  emulatorHost: string | undefined;
}

/** Read the job's configuration. Throws one Error that names every fault. */
export function readJobConfig(env: NodeJS.ProcessEnv = process.env): JobConfig {
  const parsed = environment.safeParse(env);
  if (!parsed.success) {
    const faults = parsed.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`);
    throw new Error(`the environment is not valid: ${faults.join("; ")}`);
  }
  const { MARKET_BUCKET, MARKET_FOLDER = "", STORAGE_ENDPOINT, FIRESTORE_EMULATOR_HOST } = parsed.data;
  return {
    central: { project: parsed.data.CENTRAL_PROJECT, marketDatabase: parsed.data.CENTRAL_MARKET_DATABASE },
    place:
      MARKET_BUCKET === undefined
        ? { folder: MARKET_FOLDER }
        : { bucket: MARKET_BUCKET, endpoint: STORAGE_ENDPOINT },
    emulatorHost: FIRESTORE_EMULATOR_HOST,
  };
}
