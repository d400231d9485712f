import { DatabasePool } from "@proveniq/db/pool";
import { afterAll, beforeAll, describe, expect, inject, it, vi } from "vitest";
import { silentLogger } from "./log.ts";
import { Shares } from "./shares.ts";

let pool: DatabasePool;
beforeAll(() => {
  pool = new DatabasePool({
    projectId: "cell-shares",
    allow: ["(default)"],
    emulatorHost: inject("firestoreHost"),
  });
});
afterAll(() => pool.close());

const start = () => new Shares({ open: () => pool.open("(default)"), logger: silentLogger });
const patient = { timeout: 20_000, interval: 50 };

describe("the shares of a cell's processes", () => {
  it("are the whole for one, nothing or the least for who has just come, and equal soon", async () => {
    const [first, second] = [start(), start()];
    const [imports, requests] = [first.strict("imports"), first.atLeast("requests-api", 10)];
    expect([imports(), requests()]).toEqual([0, 0.1]);
    await vi.waitFor(() => expect([imports(), requests()]).toEqual([1, 1]), patient);

    const [others, theirs] = [second.strict("imports"), second.atLeast("requests-api", 10)];
    expect([others(), theirs()]).toEqual([0, 0.1]);
    const most = { imports: 0 };
    await vi.waitFor(() => {
      most.imports = Math.max(most.imports, imports() + others());
      expect([imports(), others(), requests(), theirs()]).toEqual([0.5, 0.5, 0.5, 0.5]);
    }, patient);
    expect(most.imports).toBeLessThanOrEqual(1);

    await first.close();
    await vi.waitFor(() => expect([others(), theirs()]).toEqual([1, 1]), patient);
    await second.close();
  });

  it("cost one process that can have no company nothing", async () => {
    const open = vi.fn(() => pool.open("(default)"));
    const alone = new Shares({ open, logger: silentLogger });
    expect(alone.atLeast("requests-api", 1)()).toBe(1);
    await alone.close();
    expect(open).not.toHaveBeenCalled();
  });
});
