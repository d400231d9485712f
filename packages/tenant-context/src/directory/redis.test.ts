import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { Redis } from "ioredis";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { openRedisDirectory, type RedisDirectory, redisKeys } from "./redis.ts";
import { openRedisWriter } from "./redis-writer.ts";
import { exampleSnapshot } from "./testing/snapshot.ts";

const installed = (() => {
  try {
    execFileSync("redis-server", ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
})();

describe.skipIf(!installed)("a directory in a real Redis (not run without redis-server on the PATH)", () => {
  let server: ChildProcess;
  let port: number;
  let redis: Redis;
  let open: RedisDirectory | undefined;

  const startServer = async () => {
    server = spawn("redis-server", [
      "--port",
      String(port),
      "--bind",
      "127.0.0.1",
      "--save",
      "",
      "--appendonly",
      "no",
    ]);
    await new Promise<void>((resolve) => {
      server.stdout?.on("data", (text: Buffer) =>
        text.includes("Ready to accept connections") ? resolve() : undefined,
      );
    });
  };
  const publish = async () => {
    const { tenants, ...head } = exampleSnapshot();
    await redis.set(redisKeys.head, JSON.stringify(head));
    for (const [id, [cell, epoch]] of Object.entries(tenants))
      await redis.set(redisKeys.tenant(id), `${cell};${epoch}`);
  };
  const start = async () => {
    open = openRedisDirectory({
      url: `redis://127.0.0.1:${port}`,
      log: () => undefined,
      origins: { zone: "proveniq.io", loopback: true },
      limits: { ttlMs: 40, negativeMs: 20, timeoutMs: 500, pauseMs: 20 },
    });
    await open.directory.ready();
    return open.directory;
  };

  beforeAll(async () => {
    const probe = createServer().listen(0, "127.0.0.1");
    await once(probe, "listening");
    const address = probe.address();
    port = typeof address === "object" && address !== null ? address.port : 0;
    probe.close();
    await startServer();
    redis = new Redis(port, "127.0.0.1", { retryStrategy: () => 50 });
    redis.on("error", () => undefined);
    await publish();
  });
  afterEach(() => open?.close());
  afterAll(async () => {
    redis.disconnect();
    server.kill("SIGKILL");
    await once(server, "exit");
  });

  it("is read tenant by tenant", async () => {
    const directory = await start();
    expect(await directory.lookup("carrier-a")).toMatchObject({ cell: { id: "enterprise-a" }, epoch: 3 });
    expect(await directory.lookup("nobody-here")).toBe("unknown");
    expect(directory.hostTable()?.hosts.get("nordic-mutual.proveniq.io")).toEqual({
      kind: "tenant",
      tenantId: "nordic-mutual",
    });
  });

  it("is followed when it changes", async () => {
    const directory = await start();
    await directory.lookup("carrier-a");
    await redis.set(redisKeys.tenant("carrier-a"), "consumer;4");
    await vi.waitFor(() => expect(directory.lookup("carrier-a")).toMatchObject({ epoch: 4 }));
    await publish();
  });

  it("serves what it knew while Redis is gone, and goes on when it is back", async () => {
    const directory = await start();
    await directory.lookup("atelier-nord");
    server.kill("SIGKILL");
    await once(server, "exit");
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(directory.lookup("atelier-nord")).toMatchObject({ cell: { id: "eu" } });
    expect(await directory.lookup("carrier-a")).toBe("unavailable");
    await startServer();
    await vi.waitFor(publish, { timeout: 5_000 });
    await vi.waitFor(async () => expect(await directory.lookup("carrier-a")).toMatchObject({ epoch: 3 }), {
      timeout: 5_000,
    });
  });

  it("does not believe that a flushed Redis means that nobody exists", async () => {
    const directory = await start();
    await directory.lookup("carrier-a");
    await redis.flushall();
    await new Promise((resolve) => setTimeout(resolve, 80));
    void directory.lookup("carrier-a");
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(directory.lookup("carrier-a")).toMatchObject({ epoch: 3 });
    await publish();
  });

  describe("written by the publisher", () => {
    const writer = () => openRedisWriter(`redis://127.0.0.1:${port}`);
    afterAll(publish);

    it("is read as it was written, by publisher and router alike", async () => {
      await redis.flushall();
      const to = writer();
      expect(await to.read()).toBeUndefined();
      const snapshot = exampleSnapshot({ version: 5 });
      await to.write(snapshot);
      expect(await to.read()).toEqual(snapshot);
      const directory = await start();
      expect(directory.hostTable()?.version).toBe(5);
      expect(await directory.lookup("carrier-a")).toMatchObject({ cell: { id: "enterprise-a" }, epoch: 3 });
      to.close();
    });

    it("replaces a version that nobody can have reached", async () => {
      await redis.flushall();
      const to = writer();
      await to.write(exampleSnapshot({ version: 5 }));
      const { tenants: _, ...head } = exampleSnapshot({ version: Number.MAX_SAFE_INTEGER });
      await redis.set(redisKeys.head, JSON.stringify(head));
      expect(await to.read()).toMatchObject({ version: 1 });
      await to.write(exampleSnapshot({ version: 6 }));
      expect(await to.read()).toMatchObject({ version: 6 });
      to.close();
    });

    it("never goes back to an older version, whoever writes last", async () => {
      await redis.flushall();
      const writers = Array.from({ length: 4 }, writer);
      await Promise.all(writers.map((to, n) => to.write(exampleSnapshot({ version: 4 - n }))));
      expect(await writers[0]?.read()).toEqual(exampleSnapshot({ version: 4 }));
      for (const to of writers) to.close();
    });

    it("fails within seconds when nobody listens", async () => {
      const to = openRedisWriter("redis://127.0.0.1:1");
      await expect(to.read()).rejects.toThrow(/closed|retries/i);
      to.close();
    });
  });
});

it("gives up a Redis that accepts and never answers after seconds, and asks on a new connection", async () => {
  let connections = 0;
  const mute = createServer((socket) => {
    connections += 1;
    socket.on("error", () => undefined);
    // It answers until the client takes it for ready, and then no more.
    let answers = connections === 1;
    setTimeout(() => {
      answers = false;
    }, 150);
    socket.on("data", (sent) => {
      const commands = sent.toString().match(/^\*\d+\r$/gm)?.length ?? 0;
      if (answers) socket.write("$17\r\nredis_version:7.0\r\n".repeat(commands));
    });
  }).listen(0, "127.0.0.1");
  await once(mute, "listening");
  const address = mute.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const opened = openRedisDirectory({
    url: `redis://127.0.0.1:${port}`,
    log: () => undefined,
    origins: { zone: "proveniq.io", loopback: true },
    limits: { timeoutMs: 200, pauseMs: 20 },
  });
  setTimeout(() => void opened.directory.lookup("carrier-a"), 300);
  await vi.waitFor(() => expect(connections).toBeGreaterThan(1), { timeout: 5_000, interval: 50 });
  opened.close();
  mute.close();
});
