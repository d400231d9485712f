/** Names of the headers that cross a process, in lower case. */
export const headers = {
  /** Public: which tenant the caller means. A hint: access comes from the credential. */
  tenant: "x-tenant-id",
  requestId: "x-request-id",
  traceparent: "traceparent",
  tracestate: "tracestate",
  /** Answer: the trace, the span and whether it is recorded, written like a traceparent. */
  traceresponse: "traceresponse",
  idempotencyKey: "idempotency-key",
  /** Answer: set to `true` when an earlier answer was replayed. */
  idempotencyReplayed: "idempotency-replayed",
  /** Answer: the newest change page of market values that the cell has applied. */
  marketSequence: "market-sequence",
  /** Answer: seconds since the cell's market values were last known to equal the published ones. */
  marketAge: "market-age",
  /** Reserved, router to cell: the host that the client asked for. */
  host: "x-proveniq-host",
  /**
   * Reserved, router to cell: the epoch that the directory gave. Who sends it sees the answer before the client does: it
   * is told of a successor.
   */
  epoch: "x-proveniq-epoch",
  /** Reserved, fleet to a cell's own host: that the fleet asks (see proof.ts). */
  proof: "x-proveniq-proof",
  /** Reserved, cell to router on 421: `cellId;epoch` of the cell that holds the tenant now. Never leaves the router. */
  successor: "x-proveniq-successor",
} as const;

/** Headers with this prefix are ours alone: stripped from every request that comes from outside. */
export const reservedHeaderPrefix = "x-proveniq-";
