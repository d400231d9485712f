import type { DocumentSnapshot } from "@google-cloud/firestore";
import {
  apiKeyRecord,
  auditRecord,
  baseGeneration,
  basePart,
  changePage,
  claim,
  faultsOf,
  marketHead,
  tenantLocator,
  tenantSettings,
} from "@proveniq/contracts";
import { z } from "zod";
import {
  linesOf,
  readImport,
  readOldChunk,
  readQueue,
  readRamp,
  readReports,
  readStaged,
  readState,
} from "../imports/documents.ts";
import { readReplaced, receiptCounts } from "../imports/page.ts";
import { readPlan } from "../imports/plan.ts";
import { readWritten } from "../imports/write.ts";
import { fromDocument } from "../items/document.ts";
import { storedReceipt } from "../items/receipt.ts";
import { readShares } from "../lease/firestore-shares.ts";
import { BucketDigests } from "../market/digest.ts";
import { fromBlob } from "../market/layout.ts";
import { stateOf } from "../market/replica-state.ts";
import { fromValueDocument } from "../market/values.ts";
import { decodePage } from "../outbox/page.ts";
import { sinceOf } from "../outbox/people.ts";
import { sinkStateOf } from "../outbox/sink-state.ts";
import { recordIn } from "../portfolio/store.ts";
import { millisOf } from "../times.ts";

type Read = (snapshot: DocumentSnapshot) => unknown;

const as =
  (schema: z.ZodType): Read =>
  (snapshot) =>
    schema.parse(snapshot.data());
const blob =
  (field: string, schema: z.ZodType): Read =>
  (snapshot) =>
    schema.parse(fromBlob(snapshot.get(field)));
const expires = (snapshot: DocumentSnapshot) => millisOf(snapshot.get("expiresAt"));

/** Every kind of document that a cell and the market's centre keep, by its path (`*`: any name), and what reads it. */
const kinds: Readonly<Record<string, Read>> = {
  "tenants/*": as(tenantLocator),
  "tenants/*/claims/*": as(claim),
  "tenants/*/apiKeys/*": as(apiKeyRecord),
  "tenants/*/settings/current": as(tenantSettings),
  "tenants/*/people/*": sinceOf,
  "tenants/*/items/*": fromDocument,
  "tenants/*/idempotency/*": (s) => [storedReceipt.parse(s.data()), expires(s)],
  "tenants/*/imports/*": (s) => [readImport(s), expires(s)],
  "tenants/*/imports/*/staged/*": (s) => [readStaged(s), expires(s)],
  "tenants/*/imports/*/rows/*": (s) => [z.instanceof(Uint8Array).parse(s.get("lines")), expires(s)],
  "tenants/*/imports/*/plan/*": (s) => [readPlan(s), expires(s)],
  "tenants/*/imports/*/pages/*": (s) => [receiptCounts(s), readReplaced(s, []), expires(s)],
  "tenants/*/imports/*/replaced/*": (s) => [z.instanceof(Uint8Array).parse(s.get("bytes")), expires(s)],
  "tenants/*/imports/*/progress/written": (s) => [readWritten(s), expires(s)],
  "tenants/*/imports/*/undoReports/*": (s) => [linesOf(s), expires(s)],
  "tenants/*/imports/*/reports/*": (s) => [readReports(s), expires(s)],
  "tenants/*/importState/current": readState,
  "tenants/*/importState/queue": readQueue,
  "tenants/*/importState/ramp": readRamp,
  // What the last release kept of its imports.
  "tenants/*/imports/*/chunks/*": readOldChunk,
  "tenants/*/imports/*/sweep/count": () => undefined,
  "tenants/*/imports/*/sweep/cursor": () => undefined,
  "tenants/*/importTombstones/*": expires,
  // Made anew when it cannot be read.
  "tenants/*/portfolios/*": recordIn,
  "audit/*": as(auditRecord),
  "outbox/*": (s) => [
    decodePage(s.data() ?? {}),
    z.int().parse(s.get("events")),
    millisOf(s.get("writtenAt")),
  ],
  "outboxAside/*": (s) => [z.looseObject({}).parse(s.get("page")), z.string().parse(s.get("reason"))],
  "shares/*": readShares,
  "analytics/sink": (s) => sinkStateOf(s, ""),
  "replica/state": stateOf,
  "values/*": fromValueDocument,
  "centre/head": as(marketHead),
  "centre/digests": (s) => BucketDigests.fromBytes(z.instanceof(Uint8Array).parse(s.get("digests"))),
  "changes/*": blob("page", changePage),
  "bases/*": as(baseGeneration),
  "bases/*/parts/*": blob("part", basePart),
};

/** The kind of document that a path is of, as listed above; undefined for one that nothing here writes. */
export function kindOf(path: string): string | undefined {
  const parts = path.split("/");
  return Object.keys(kinds).find((kind) => {
    const named = kind.split("/");
    return named.length === parts.length && named.every((name, n) => name === "*" || name === parts[n]);
  });
}

/** All kinds of documents, by their paths. */
export const documentKinds: readonly string[] = Object.keys(kinds);

/**
 * Read a document with what reads it in production; why it is refused, fault by fault, each beginning with the field.
 * Nothing of its content is repeated. No faults: it can be read.
 */
export function faultsOfDocument(snapshot: DocumentSnapshot): string[] {
  const kind = kindOf(snapshot.ref.path);
  if (kind === undefined) return ["is of no kind that is known"];
  if (!snapshot.exists) return ["is not there"];
  try {
    kinds[kind]?.(snapshot);
    return [];
  } catch (error) {
    if (error instanceof z.ZodError) return faultsOf(error).map((f) => `${f.path} ${f.message}`);
    return [error instanceof Error ? error.message : "cannot be read"];
  }
}
