import { ProblemError } from "@proveniq/contracts";

/** On a busy machine an emulator may need longer than the eight seconds that a caller waits. */
export async function patiently<T>(work: () => Promise<T>): Promise<T> {
  for (let n = 1; ; n++) {
    try {
      return await work();
    } catch (error) {
      if (n === 5 || !(error instanceof ProblemError) || error.code !== "database-unavailable") throw error;
    }
  }
}
