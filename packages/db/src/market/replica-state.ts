import type { DocumentSnapshot } from "@google-cloud/firestore";
import { type ReplicaState, replicaState } from "@proveniq/contracts";

export const emptyReplica: ReplicaState = {
  lineage: null,
  sequence: 0,
  revision: 0,
  publishedAt: null,
  caughtUpAt: null,
  rebase: null,
  lease: null,
};

export function stateOf(snapshot: DocumentSnapshot): ReplicaState {
  return snapshot.exists ? replicaState.parse(snapshot.data()) : emptyReplica;
}
