import type { DocumentReference, Firestore } from "@google-cloud/firestore";
import type { TenantBinding } from "../tenant/types.ts";
import type { Step } from "./types.ts";

/** Where an import is worked on. */
export interface Place {
  firestore: Firestore;
  binding: Readonly<TenantBinding>;
  job: DocumentReference;
  id: string;
}

/** An import that is worked on within one call. */
export interface Work extends Place {
  step: Step;
  /** To be called between two steps: keeps the lease. */
  tick(): Promise<void>;
}
