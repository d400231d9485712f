import { ProblemError } from "@proveniq/contracts";
import { describe, expect, it } from "vitest";
import { patiently } from "./patience.ts";

const slow = () => new ProblemError("database-unavailable", "too slow");

describe("patience", () => {
  it("tries again while the database is too slow, and hands on what comes of it", async () => {
    let tries = 0;
    const work = async () => {
      tries += 1;
      if (tries < 3) throw slow();
      return tries;
    };
    expect(await patiently("add tenants", work, 5_000, 1)).toBe(3);
  });

  it("ends, and says what could not be done and why", async () => {
    const never = patiently("add tenants", () => Promise.reject(slow()), 20, 1);
    await expect(never).rejects.toThrow(/^Could not add tenants: an emulator did not answer in 0.02 s/);
    await expect(never).rejects.toMatchObject({ cause: { code: "database-unavailable" } });
  });

  it("is lost at once over anything else", async () => {
    let tries = 0;
    const work = () => {
      tries += 1;
      return Promise.reject(new ProblemError("internal-error", "ours"));
    };
    await expect(patiently("add tenants", work, 5_000, 1)).rejects.toThrow("ours");
    expect(tries).toBe(1);
  });
});
