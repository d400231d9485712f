/** What can go wrong between the router and a cell. */
export type FailureKind =
  | "connect"
  | "connect-timeout"
  | "overload"
  /** The tenant holds its share of the connections to this cell. */
  | "share"
  | "first-byte-timeout"
  /** The cell stopped taking the request or sending the answer. */
  | "idle-timeout"
  /** The client stopped sending its body. */
  | "client-idle"
  | "reset"
  | "protocol";

export interface UpstreamFailure {
  kind: FailureKind;
  /** For the log. */
  message: string;
  /**
   * The connection had been used before and closed without a byte of an answer: most likely it was already gone when
   * the request was written. Only what is safe may be sent again.
   */
  stale: boolean;
}

/** A response's head, without the headers that concern one connection only and those that are ours alone. */
export interface ResponseHead {
  status: number;
  reason: string;
  /** Names and values in turn, as received. */
  headers: string[];
  /** Of the reserved header that a cell adds to a 421. */
  successor: string | undefined;
  framing: "none" | "length" | "chunked" | "close";
  /** In bytes, when `framing` is `length`. */
  length: number;
  /** The connection can carry another request. */
  reusable: boolean;
  /** What the cell announced: idle connections are dropped by it after so many seconds. */
  keepAliveSeconds: number | undefined;
}

/** Who asked. Exactly one of `onEnd` and `onFailure` comes last; after `abort` neither does. */
export interface ResponseHandler {
  onHead(head: ResponseHead): void;
  /**
   * A piece of the body, to be copied if it is needed any longer than the call; `last` when no other follows. False: the
   * reader is full, stop until `resume`.
   */
  onBody(piece: Buffer, last: boolean): boolean;
  onEnd(): void;
  onFailure(failure: UpstreamFailure): void;
  /** The connection can take more of the request's body. */
  onDrain(): void;
  /** Our own code threw while it worked on this request: it is over. Must not throw. */
  onFault(error: unknown): void;
}

/** A request to be sent. The body is either here in full or written piece by piece. */
export interface UpstreamRequest {
  method: string;
  /** Whose share of the connections it counts to. */
  tenant: string;
  /** Request line and headers up to and with the last header's line end. Framing headers and the empty line are added. */
  head: string;
  body: Buffer | "streamed-length" | "streamed-chunked" | undefined;
  /** Of a body whose length was declared. */
  contentLength: number;
}

/** A request under way. Once it is over, all of these do nothing. */
export interface UpstreamCall {
  /** False: stop until `onDrain`. */
  writeBody(piece: Buffer): boolean;
  endBody(): void;
  /** Go on reading after `onBody` returned false. */
  resume(): void;
  /** The asker has gone: close the connection. Nothing is called after it. */
  abort(): void;
}

/** All in milliseconds but the counts. */
export interface UpstreamLimits {
  connectMs: number;
  firstByteMs: number;
  /** Without a byte in either direction once the answer has begun, or while a body is sent. */
  idleMs: number;
  /** How long an idle connection is kept when the cell announces nothing. */
  keepAliveMs: number;
  /** Connections to one origin, idle ones included: a sick cell must not use up the router. */
  maxConnections: number;
  /** So many of them a tenant may always hold; beyond that, half of what no other tenant holds. */
  tenantFloor: number;
  /** Connections to all origins together. */
  maxTotal: number;
}
