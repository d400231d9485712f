import { describe, expect, it } from "vitest";
import {
  isCellsHost,
  proofSecrets,
  proofText,
  proverOf,
  readProof,
  writeProof,
  writeSecrets,
} from "./proof.ts";

const secret = (id: string, residency = "eu") => `${residency}:${id}.${"s".repeat(43)}`;

describe("proofSecrets", () => {
  it("reads what it writes", () => {
    const text = [secret("aaaaaa"), secret("bbbbbb"), secret("cccccc", "global")].join(",");
    expect(writeSecrets(proofSecrets.parse(text))).toBe(text);
  });

  it.each([
    [
      "three of one residency",
      [secret("aaaaaa"), secret("bbbbbb"), secret("cccccc")].join(","),
      "more than two",
    ],
    ["an id twice", [secret("aaaaaa"), secret("aaaaaa", "us")].join(","), "twice"],
    ["a short one", "eu:aaaaaa.short", "must be"],
    ["an unknown residency", secret("aaaaaa", "mars"), "must be"],
    ["none", "", "must be"],
    ["one and rubbish", `${secret("aaaaaa")},x`, "must be"],
  ])("refuses %s, and does not repeat it", (_, text, words) => {
    const { error } = proofSecrets.safeParse(text);
    expect(error?.issues.map(({ message }) => message).join()).toContain(words);
    expect(error?.message).not.toContain("ssssss");
  });
});

describe("a proof", () => {
  it("is over time, host and target, by the first secret of the residency", () => {
    const secrets = proofSecrets.parse(
      [secret("cccccc", "global"), secret("aaaaaa"), secret("bbbbbb")].join(","),
    );
    const told: string[] = [];
    const hmac = (key: string, text: string) => {
      told.push(key, text);
      return "m".repeat(43);
    };
    const prove = proverOf(secrets, hmac, () => 1_764_560_000_999);
    expect(prove("eu", "https://EU-api.cells.proveniq.io/v1/cell?a=%2F")).toEqual({
      "x-proveniq-proof": `v1;aaaaaa;1764560000;${"m".repeat(43)}`,
    });
    expect(told[1]).toBe(proofText(1_764_560_000, "eu-api.cells.proveniq.io", "/v1/cell?a=%2F"));
    expect(prove("us", "https://x/")).toEqual({});
  });

  it("can be read again, and nothing else can", () => {
    const mac = "m".repeat(43);
    expect(readProof(writeProof("aaaaaa", 1_764_560_000, mac))).toEqual({
      id: "aaaaaa",
      time: 1_764_560_000,
      mac,
    });
    for (const other of [
      undefined,
      "",
      "v1",
      `v2;aaaaaa;1764560000;${mac}`,
      `v1;aaaaaa;1764560000;${mac}, v1`,
      `v1;aaaaaa;-764560000;${mac}`,
    ])
      expect(readProof(other)).toBeUndefined();
  });
});

describe("isCellsHost", () => {
  it.each([
    ["eu-api.cells.proveniq.io", true],
    ["EU-API.cells.proveniq.IO.", true],
    ["eu-api.cells.proveniq.io:443", true],
    ["cells.proveniq.io", true],
    ["eu-api-abc-ew.a.run.app", true],
    ["europe-west1-p.cloudfunctions.net", true],
    ["127.0.0.1:8111", true],
    ["localhost:8080", false],
    ["[::1]:80", true],
    ["", true],
    ["eu.proveniq.io", false],
    ["carrier-a.proveniq.io", false],
    ["xcells.proveniq.io", false],
    ["cells.proveniq.io.evil.example", false],
    ["eu.proveniq.localhost:8080", false],
  ])("%s: %s", (host, own) => {
    expect(isCellsHost(host, "cells.proveniq.io")).toBe(own);
  });
});
