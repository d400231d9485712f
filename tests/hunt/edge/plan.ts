/** One request as a client sends it, and what the cell makes of it. */
export interface Ask {
  /** Nonce and request id: whoever gets an answer must find his own in it. */
  id: string;
  method: "GET" | "HEAD" | "POST" | "PUT" | "DELETE";
  tenant: string;
  http10: boolean;
  /** `GET http://host/path`. */
  absolute: boolean;
  expects: boolean;
  close: boolean;
  /** Bytes of a header that only makes the head longer. */
  padding: number;
  framing: "none" | "length" | "chunked";
  bodyBytes: number;
  /** Of a body in chunks: how it is cut, and the odd things that a chunk may carry. */
  chunkBytes: number;
  extensions: boolean;
  trailers: boolean;
  answer: CellAnswer;
}

/**
 * What the client must see: `own`, this very answer, whole; `problem`, a clean problem document; `cut`, a problem, or the
 * answer's beginning and then the end of the connection; `any`, one of these three.
 */
export type Right = "own" | "problem" | "cut" | "any";

/** What the cell writes, byte for byte. */
export interface CellAnswer {
  name: string;
  right: Right;
  status: number;
  bytes: number;
  /** Begin when the request's head is there, or when all of it is. */
  from: "head" | "body";
  writes: readonly { afterMs: number; bytes: Buffer }[];
  /** What becomes of the connection afterwards; `silent`: nothing is written and nothing done. */
  end: "keep" | "fin" | "rst" | "silent";
  /** May cost another request to this cell its connection, as that one takes it: such a one may get a problem. */
  unsteady: boolean;
}

/** A step of a client that does not behave. */
export type Step =
  | { do: "write"; bytes: Buffer }
  | { do: "wait"; ms: number }
  /** Until so many final answers are here, or the connection has ended. */
  | { do: "answers"; count: number }
  /** Read no more; read about so many bytes and then no more; read on. */
  | { do: "pause" }
  | { do: "sip"; bytes: number }
  | { do: "read" }
  /** Sip until the cell has got another request on the connection that carried this one, 400 ms at most. */
  | { do: "until-reused"; id: string; sip: number }
  /** Until the cell has begun to answer this one, 400 ms at most. */
  | { do: "until-arrived"; id: string }
  | { do: "fin" }
  | { do: "rst" }
  /** Stay until everybody else is done. */
  | { do: "hold" };

export type ClientPlan =
  | {
      kind: "good";
      name: string;
      startMs: number;
      asks: Ask[];
      pipelined: boolean;
      pieces: number;
      gapMs: number;
    }
  | { kind: "hostile"; name: string; startMs: number; asks: Ask[]; steps: Step[] };

/** All that happens in one schedule. */
export interface Schedule {
  index: number;
  clients: ClientPlan[];
  /** Asked at the end, when all others are gone. */
  probes: Ask[];
}

/** The bytes of a body that belongs to `id`. */
export function bodyOf(id: string, bytes: number): Buffer {
  return Buffer.alloc(bytes, `${id}.`);
}

/** True when a router may close the connection after this one. */
export function endsConnection({ answer, http10, close, framing }: Ask): boolean {
  return answer.right !== "own" || http10 || close || (answer.from === "head" && framing !== "none");
}
