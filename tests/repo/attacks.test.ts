import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { bodyAttacks } from "../attacks/cases/bodies.ts";
import { credentialAttacks } from "../attacks/cases/credentials.ts";
import { headerAttacks } from "../attacks/cases/headers.ts";
import { objectAttacks } from "../attacks/cases/objects.ts";
import { tenantAttacks } from "../attacks/cases/tenants.ts";
import { mutants } from "../attacks/mutants.ts";

test("the README of the attacks lists every case, in order, and no other", () => {
  const text = readFileSync(new URL("../attacks/README.md", import.meta.url), "utf8");
  const listed = [...text.matchAll(/^- (.+)$/gm)].map((match) => match[1]);
  const cases = [tenantAttacks, credentialAttacks, headerAttacks, objectAttacks, bodyAttacks].flat();
  expect(listed).toEqual(cases.map((attack) => attack.name));
});

test.each(mutants.map((mutant) => [mutant.name, mutant] as const))(
  "the mutant still applies: %s",
  (_, { file, find }) => {
    const source = readFileSync(new URL(`../../${file}`, import.meta.url), "utf8");
    expect(source.split(find).length - 1).toBe(1);
  },
);
