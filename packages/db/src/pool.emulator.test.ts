import { afterAll, describe, expect, inject, test } from "vitest";
import { DatabasePool } from "./pool.ts";

const emulatorHost = inject("firestoreHost");
const options = { projectId: "db-pool", allow: ["(default)", "eu-partners"], emulatorHost };
const pool = new DatabasePool(options);
afterAll(() => pool.close());

describe("DatabasePool", () => {
  test("opens each database of the allow-list once, however many ask", async () => {
    const [a, b] = await Promise.all([pool.open("eu-partners"), pool.open("eu-partners")]);
    expect(a).toBe(b);
    expect(a).not.toBe(await pool.open("(default)"));
  });

  test("keeps databases apart", async () => {
    const [one, other] = await Promise.all([pool.open("(default)"), pool.open("eu-partners")]);
    await one.doc("things/a").set({ here: true });
    expect((await one.doc("things/a").get()).data()).toEqual({ here: true });
    expect((await other.doc("things/a").get()).exists).toBe(false);
  });

  test("refuses a database outside the allow-list, and names no other", async () => {
    const error = await pool.open("market").catch((e: unknown) => e);
    expect(String(error)).toContain('"market" is not in the allow-list');
    expect(String(error)).not.toContain("eu-partners");
  });

  test("two pools of one process live side by side and close one by one", async () => {
    const first = new DatabasePool({ ...options, projectId: "db-pool-one" });
    const second = new DatabasePool({ ...options, projectId: "db-pool-two" });
    await (await first.open("(default)")).doc("things/a").set({ n: 1 });
    const there = await second.open("(default)");
    expect((await there.doc("things/a").get()).exists).toBe(false);
    await first.close();
    await there.doc("things/b").set({ n: 2 });
    await second.close();
    await second.close();
    await expect(second.open("(default)")).rejects.toThrow("closed");
  });

  test("a ping says that a database answers, and soon that it does not", async () => {
    await pool.ping("(default)", 5_000);
    const nowhere = new DatabasePool({ ...options, emulatorHost: "127.0.0.1:9" });
    const began = performance.now();
    await expect(nowhere.ping("(default)", 300)).rejects.toMatchObject({ code: "database-unavailable" });
    expect(performance.now() - began).toBeLessThan(2_000);
    await nowhere.close();
  });
});
