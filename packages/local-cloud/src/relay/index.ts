import { createServer, type Server } from "node:net";
import { RelayConnection, type RelayCounters, type RelayState } from "./connection.ts";

export type { RelayCounters } from "./connection.ts";

/** A TCP relay in front of one server, with the faults a network has. */
export interface Relay {
  /** `127.0.0.1:port`, where clients connect. */
  readonly host: string;
  /** `host:port` of the server behind it. */
  readonly target: string;
  readonly state: "open" | "cut" | "held" | "stalled";
  /** Refuse new connections and reset those that are open. */
  cut(): Promise<void>;
  /** Accept connections but carry no byte either way: what a client sees of a machine that hangs. */
  stall(): void;
  /**
   * Refuse as `cut` does until `release`, whatever faults come and go meanwhile: the server behind is not fit to be asked. No fault
   * of the network, so `restore` does not undo it, and `release` undoes no `cut`.
   */
  hold(): Promise<void>;
  release(): Promise<void>;
  /** Undo `cut`, `stall`, `delay` and `dropReplies`. */
  restore(): Promise<void>;
  /** Deliver every byte, in both directions, this much later. 0 ends it. */
  delay(ms: number): void;
  /**
   * Let the next `count` gRPC calls that match reach the server and be answered, swallow the answer, then reset the connection:
   * the work is done and its caller does not know. `matches` sees the whole request message (length-prefixed protobuf, so that
   * text of a document is in it as UTF-8); without it every call matches. Calls over HTTP/1 are never dropped.
   */
  dropReplies(count: number, matches?: (request: Buffer) => boolean): void;
  counters(): RelayCounters;
  /** Reset all connections and stop listening, for good. */
  close(): Promise<void>;
}

export interface RelayOptions {
  /** Where to listen, on 127.0.0.1; 0 takes a free port. */
  port: number;
  /** `host:port` of the server. */
  target: string;
}

/** Start a relay in this process. Throws when its port is taken. */
export async function startRelay(options: RelayOptions): Promise<Relay> {
  const colon = options.target.lastIndexOf(":");
  const target = { host: options.target.slice(0, colon), port: Number(options.target.slice(colon + 1)) };
  if (colon < 1 || !Number.isInteger(target.port) || target.port < 1) {
    throw new Error(`A relay's target must be host:port, not "${options.target}"`);
  }
  const always = () => true;
  const state: RelayState = {
    target,
    delayMs: 0,
    stalled: false,
    counters: { connections: 0, open: 0, calls: 0, bytesToServer: 0, bytesToClient: 0, dropped: 0 },
    drop: { left: 0, matches: always },
  };
  const open = new Set<RelayConnection>();
  let server: Server | undefined;
  let { port } = options;
  const shut = { cut: false, held: false, closed: false };

  async function listen(): Promise<void> {
    if (server !== undefined || shut.cut || shut.held || shut.closed) return;
    const next = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => {
      state.counters.connections += 1;
      const connection = new RelayConnection(state, socket, () => {
        open.delete(connection);
        state.counters.open = open.size;
      });
      open.add(connection);
      state.counters.open = open.size;
    });
    // Known at once, or two calls in a row would listen twice.
    server = next;
    await new Promise<void>((resolve, reject) => {
      next.once("error", reject);
      next.listen(port, "127.0.0.1", resolve);
    }).catch((error: unknown) => {
      server = undefined;
      throw error;
    });
    const address = next.address();
    if (typeof address === "object" && address !== null) port = address.port;
  }

  async function refuse(): Promise<void> {
    const closing = server;
    server = undefined;
    if (closing === undefined) return;
    await new Promise<void>((resolve) => {
      closing.close(() => resolve());
      for (const connection of open) connection.reset();
    });
  }

  function stall(on: boolean): void {
    state.stalled = on;
    for (const connection of open) connection.stall(on);
  }

  await listen();
  return {
    host: `127.0.0.1:${port}`,
    target: options.target,
    get state() {
      if (shut.held) return "held";
      return server === undefined ? "cut" : state.stalled ? "stalled" : "open";
    },
    cut() {
      shut.cut = true;
      return refuse();
    },
    hold() {
      shut.held = true;
      return refuse();
    },
    release() {
      shut.held = false;
      return listen();
    },
    stall: () => stall(true),
    async restore() {
      state.delayMs = 0;
      state.drop = { left: 0, matches: always };
      stall(false);
      shut.cut = false;
      await listen();
    },
    delay(ms) {
      if (!(ms >= 0 && ms <= 600_000)) throw new Error("A delay must be between 0 and 600,000 ms");
      state.delayMs = ms;
    },
    dropReplies(count, matches = always) {
      state.drop = { left: count, matches };
    },
    counters: () => ({ ...state.counters }),
    close() {
      shut.closed = true;
      return refuse();
    },
  };
}
