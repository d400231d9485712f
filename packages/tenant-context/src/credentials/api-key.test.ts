import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import type { ApiKeyRecord } from "@proveniq/contracts";
import { assert, constantFrom, integer, property, string, stringMatching } from "fast-check";
import { describe, expect, it } from "vitest";
import { makeApiKey, type ParsedKey, parseApiKey, verifyApiKey } from "./api-key.ts";
import { checksum, randomBase62 } from "./base62.ts";

const now = Date.parse("2026-05-01T12:00:00Z");

async function keyPair(more: Partial<ApiKeyRecord> = {}) {
  const { key, keyId, secretHash } = await makeApiKey("live", "carrier-a");
  const parsed = parseApiKey(key);
  if (parsed === undefined) throw new Error("a fresh key must parse");
  const record: ApiKeyRecord = {
    keyId,
    tenantId: "carrier-a",
    environment: "live",
    label: "Test",
    secretHash,
    scopes: ["items:read"],
    createdAt: "2026-01-01T00:00:00Z",
    expiresAt: null,
    revokedAt: null,
    ...more,
  };
  return { key, parsed, record };
}

describe("makeApiKey and parseApiKey", () => {
  it("round-trips any tenant, and the hash is the secret's", async () => {
    for (const tenant of ["abc", "carrier-a", `a${"-b".repeat(19)}c`]) {
      const { key, keyId, secretHash } = await makeApiKey("dev", tenant);
      const parsed = parseApiKey(key);
      expect(parsed).toEqual({ environment: "dev", tenantId: tenant, keyId, secret: key.slice(-38, -6) });
      expect(secretHash).toBe(createHash("sha256").update(key.slice(-38, -6)).digest("hex"));
    }
  });

  it("refuses every single changed, lost, doubled or swapped character", async () => {
    const { key } = await keyPair();
    assert(
      property(integer({ min: 0, max: key.length - 1 }), stringMatching(/^[0-9A-Za-z_-]$/), (at, other) => {
        const tail = key.slice(at + 1);
        const wrong = [
          key.slice(0, at) + other + tail,
          key.slice(0, at) + tail,
          key.slice(0, at) + key.charAt(at) + key.charAt(at) + tail,
          key.slice(0, at) + tail.charAt(0) + key.charAt(at) + tail.slice(1),
        ].filter((text) => text !== key);
        expect(wrong.map(parseApiKey)).toEqual(wrong.map(() => undefined));
      }),
      { numRuns: 300 },
    );
  });

  it.each([
    "",
    "pvq_",
    "pvq_live_carrier-a",
    "PVQ_LIVE_carrier-a_abcdefgh_x",
    "pvq_test_carrier-a_abcdefgh_x",
  ])("refuses %j", (text) => {
    expect(parseApiKey(text)).toBeUndefined();
  });

  it("refuses a key of a reserved or malformed tenant although its checksum is right", () => {
    for (const tenant of ["admin", "a--", "-ab", "1ab"]) {
      const unsigned = `pvq_live_${tenant}_abcdefgh_${"x".repeat(32)}`;
      expect(parseApiKey(unsigned + checksum(unsigned))).toBeUndefined();
    }
  });

  it("refuses text around a key, line breaks included", async () => {
    const { key } = await keyPair();
    for (const text of [`${key}\n`, ` ${key}`, `${key}x`, `x${key}`])
      expect(parseApiKey(text)).toBeUndefined();
  });
});

describe("verifyApiKey", () => {
  it("accepts its own record, with WebCrypto and with an implementation passed in", async () => {
    const { parsed, record } = await keyPair();
    expect(await verifyApiKey(parsed, record, now)).toBe(true);
    const node = (text: string) => createHash("sha256").update(text).digest("hex");
    expect(await verifyApiKey(parsed, record, now, node)).toBe(true);
  });

  it.each<[string, Partial<ApiKeyRecord>]>([
    ["revoked", { revokedAt: "2026-04-30T00:00:00Z" }],
    ["expired", { expiresAt: "2026-05-01T11:59:59Z" }],
    ["expiring this very moment", { expiresAt: "2026-05-01T12:00:00Z" }],
    ["of another tenant", { tenantId: "carrier-b" }],
    ["of the other environment", { environment: "dev" }],
    ["of another key", { keyId: "zzzzzzzz" }],
    ["with another hash", { secretHash: "f".repeat(64) }],
  ])("refuses a record that is %s", async (_, more) => {
    const { parsed, record } = await keyPair(more);
    expect(await verifyApiKey(parsed, record, now)).toBe(false);
  });

  it("hashes and refuses when there is no record, even for a hash of zeros", async () => {
    const { parsed } = await keyPair();
    let hashed = 0;
    const zeros = () => {
      hashed += 1;
      return "0".repeat(64);
    };
    expect(await verifyApiKey(parsed, undefined, now, zeros)).toBe(false);
    expect(hashed).toBe(1);
  });

  it("accepts until the very end", async () => {
    const { parsed, record } = await keyPair({ expiresAt: "2026-05-01T12:00:01Z" });
    expect(await verifyApiKey(parsed, record, now)).toBe(true);
  });

  it("refuses any other secret", async () => {
    const { parsed, record } = await keyPair();
    const other: ParsedKey = { ...parsed, secret: randomBase62(32) };
    expect(await verifyApiKey(other, record, now)).toBe(false);
  });
});

describe("base62", () => {
  it("is CRC-32 as zlib has it", () => {
    const decode = (text: string) =>
      text
        .split("")
        .reduce(
          (sum, c) => sum * 62 + "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".indexOf(c),
          0,
        );
    assert(
      property(string({ unit: "grapheme-ascii" }), (text) => {
        expect(decode(checksum(text))).toBe(crc32(text));
      }),
    );
  });

  it("throws biased bytes away", () => {
    let calls = 0;
    const fill = (length: number) => new Uint8Array(length).fill(calls++ === 0 ? 248 : 61);
    expect(randomBase62(4, fill)).toBe("zzzz");
    expect(calls).toBe(2);
  });

  it("never repeats and uses the whole alphabet", () => {
    const seen = Array.from({ length: 200 }, () => randomBase62(32));
    expect(new Set(seen).size).toBe(200);
    expect(new Set(seen.join("")).size).toBe(62);
    assert(property(constantFrom(...seen), (text) => /^[0-9A-Za-z]{32}$/.test(text)));
  });
});
