import type { Environment } from "@proveniq/control-plane/environment";
import { describe, expect, it } from "vitest";
import { mutate } from "./change.ts";

function environment(name: Environment["name"], failing = false) {
  const happened: string[] = [];
  const record = async (of: { action: string; who: string }) => {
    if (failing) throw new Error("the registry is down");
    happened.push(`record ${of.action} by ${of.who === "" ? "nobody" : "somebody"}`);
  };
  const stub = {
    name,
    title: `the ${name} fleet`,
    ready: async () => void happened.push("ready"),
    connections: { control: { record } },
  };
  return { happened, environment: stub as unknown as Environment };
}

const record = { action: "market.renew", target: "market", detail: {} };

async function change(on: ReturnType<typeof environment>, confirm?: string, typed?: string) {
  const output = { out: () => undefined, err: (text: string) => void on.happened.push(text) };
  const what = { what: "Renew it", record, typed };
  return mutate(on.environment, what, { output, confirm }, async () => on.happened.push("work"));
}

describe("a change", () => {
  it("on this machine is told, recorded and made; nobody is asked", async () => {
    const on = environment("local");
    await change(on);
    expect(on.happened).toEqual([
      "Renew it, in the local fleet",
      "ready",
      "record market.renew by somebody",
      "work",
    ]);
  });

  it.each([
    [undefined, undefined],
    ["local", undefined],
    ["production ", "production"],
  ])("elsewhere is not made with %j given and %j typed before", async (confirm, typed) => {
    const on = environment("production");
    await expect(change(on, confirm, typed)).rejects.toThrow(/nothing was changed/i);
    expect(on.happened).toEqual(["Renew it, in the production fleet"]);
  });

  it.each([
    ["production", undefined],
    [undefined, "production"],
  ])("elsewhere is made with %j given and %j typed before", async (confirm, typed) => {
    const on = environment("production");
    await change(on, confirm, typed);
    expect(on.happened.at(-1)).toBe("work");
  });

  it("that cannot be recorded is not made", async () => {
    const on = environment("local", true);
    await expect(change(on)).rejects.toThrow("the registry is down");
    expect(on.happened).not.toContain("work");
  });
});
