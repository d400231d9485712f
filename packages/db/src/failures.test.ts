import { ProblemError } from "@proveniq/contracts";
import { describe, expect, test } from "vitest";
import { withinDeadline } from "./failures.ts";

const grpc = (code: number) => Object.assign(new Error("14 UNAVAILABLE: 127.0.0.1:8201 refused"), { code });

describe("withinDeadline", () => {
  test.each([1, 2, 4, 8, 10, 13, 14])(
    "gRPC code %i is a problem that says when to come back",
    async (code) => {
      const error = await withinDeadline(1_000, () => Promise.reject(grpc(code))).catch((e: unknown) => e);
      expect(error).toBeInstanceOf(ProblemError);
      expect(error).toMatchObject({ code: "database-unavailable", headers: { "retry-after": "2" } });
      expect(
        JSON.stringify((error as ProblemError).toProblem("4bf92f3577b34da6a3ce929d0e0e4736")),
      ).not.toContain("127.0.0.1");
    },
  );

  test.each([3, 5, 7, 9, 16])("gRPC code %i is our own mistake and stays what it is", async (code) => {
    const mistake = grpc(code);
    await expect(withinDeadline(1_000, () => Promise.reject(mistake))).rejects.toBe(mistake);
  });

  test.each([
    "3 INVALID_ARGUMENT: Transaction is invalid or closed",
    "3 INVALID_ARGUMENT: The referenced transaction has expired or is no longer valid",
  ])("a transaction that the database gave up is nobody's mistake: %s", async (message) => {
    const lost = Object.assign(new Error(message), { code: 3 });
    await expect(withinDeadline(1_000, () => Promise.reject(lost))).rejects.toMatchObject({
      code: "database-unavailable",
    });
  });

  test("problems pass", async () => {
    const problem = new ProblemError("not-found");
    await expect(withinDeadline(1_000, () => Promise.reject(problem))).rejects.toBe(problem);
  });

  test("after the time the answer is given, and the work can see that nobody waits", async () => {
    let seen: boolean | undefined;
    let done: () => void = () => undefined;
    const worked = new Promise<void>((resolve) => (done = resolve));
    const call = withinDeadline(20, async (expired) => {
      expect(expired()).toBe(false);
      await new Promise((resolve) => setTimeout(resolve, 60));
      seen = expired();
      done();
      throw new Error("too late to matter");
    });
    await expect(call).rejects.toMatchObject({ code: "database-unavailable" });
    await worked;
    expect(seen).toBe(true);
  });
});
