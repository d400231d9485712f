import "vitest";

declare module "vitest" {
  interface ProvidedContext {
    /** `host:port` of the one Firestore emulator that all emulator tests share; each file uses its own project id. */
    firestoreHost: string;
  }
}
