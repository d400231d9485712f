import { EventEmitter } from "node:events";
import type { Socket } from "node:net";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ClientConnections, type Shortage } from "./client-connections.ts";
import type { EdgeExchange } from "./exchange.ts";

/** What of a socket is looked at here. */
class FakeSocket extends EventEmitter {
  destroyed = false;
  readonly remoteAddress: string;
  constructor(remoteAddress: string) {
    super();
    this.remoteAddress = remoteAddress;
  }
  destroy(): this {
    this.destroyed = true;
    // As Node's: later.
    queueMicrotask(() => this.emit("close"));
    return this;
  }
}

const idle: EdgeExchange = {
  received: true,
  begin: () => undefined,
  breakOff: () => undefined,
  stopReading: () => undefined,
  onFault: () => undefined,
  end: () => undefined,
};

function room(maxClients: number) {
  const told: Shortage[] = [];
  const clients = new ClientConnections<EdgeExchange>({ maxClients, maxWaiting: 4 }, (s) => told.push(s));
  const open = (address: string, state: "silent" | "idle" | "busy"): FakeSocket => {
    const socket = new FakeSocket(address);
    clients.add(socket as unknown as Socket);
    const exchange = { ...idle };
    if (state !== "silent") clients.of(socket)?.take(exchange);
    if (state === "idle") clients.of(socket)?.over(exchange);
    return socket;
  };
  return { clients, open, told };
}

describe("one client with very many connections", () => {
  it.each(["silent", "idle", "busy"] as const)("that are %s starves nobody else", async (state) => {
    const { clients, open, told } = room(100);
    const many = Array.from({ length: 500 }, () => open("6.6.6.6", state));
    const others = Array.from({ length: 10 }, (_, n) => open(`10.0.0.${n}`, "busy"));
    const more = Array.from({ length: 500 }, () => open("6.6.6.6", state));
    await Promise.resolve();
    expect(others.filter((socket) => socket.destroyed)).toEqual([]);
    expect([...many, ...more].filter((socket) => !socket.destroyed)).toHaveLength(90);
    expect(clients.open).toBe(100);
    expect(told).toHaveLength(1);
  });

  it("takes no place of others that are silent or idle", async () => {
    const { open } = room(20);
    const others = [open("10.0.0.1", "silent"), open("10.0.0.2", "idle")];
    for (let n = 0; n < 100; n += 1) open("6.6.6.6", "busy");
    await Promise.resolve();
    expect(others.filter((socket) => socket.destroyed)).toEqual([]);
  });

  it("is everybody, behind a load balancer: nobody's request under way is cut", async () => {
    const { open } = room(20);
    const busy = Array.from({ length: 15 }, () => open("10.0.0.1", "busy"));
    const silent = Array.from({ length: 5 }, () => open("10.0.0.1", "silent"));
    const late = Array.from({ length: 10 }, () => open("10.0.0.1", "busy"));
    await Promise.resolve();
    expect(busy.filter((socket) => socket.destroyed)).toEqual([]);
    expect(silent.filter((socket) => !socket.destroyed)).toEqual([]);
    expect(late.filter((socket) => !socket.destroyed)).toHaveLength(5);
  });
});

describe("client connections", () => {
  it("are never more than there may be, and all accounted for when they have closed", async () => {
    const state = fc.constantFrom("silent", "idle", "busy");
    const step = fc.record({ address: fc.constantFrom("a", "b", "c", "d"), state, close: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 8 }),
        fc.array(step, { maxLength: 40 }),
        async (max, steps) => {
          const { clients, open } = room(max);
          const sockets: FakeSocket[] = [];
          for (const { address, state, close } of steps) {
            sockets.push(open(address, state));
            expect(clients.open).toBeLessThanOrEqual(max);
            if (close) sockets.find((socket) => !socket.destroyed)?.destroy();
            await Promise.resolve();
            expect(clients.open).toBe(sockets.filter((socket) => !socket.destroyed).length);
          }
          for (const socket of sockets) if (!socket.destroyed) socket.destroy();
          await Promise.resolve();
          expect([clients.open, clients.unanswered, [...clients.busy()]]).toEqual([0, 0, []]);
        },
      ),
    );
  });
});
