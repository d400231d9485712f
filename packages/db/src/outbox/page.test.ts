import { gzipSync } from "node:zlib";
import { type OutboxPage, outboxLimits } from "@proveniq/contracts";
import { describe, expect, test } from "vitest";
import { eventOf } from "../items/changes.ts";
import { decodePage, encodePage } from "./page.ts";

const writeId = "b7Jq2mX9aL0cV4tR8sWd";
const at = new Date("2026-01-01T00:00:00.000Z");

function pageOf(events: number, ownerId = "u_1"): OutboxPage {
  const stamp = {
    tenantId: "carrier-a",
    epoch: 1,
    actor: { kind: "key" as const, id: "k".repeat(200) },
    via: "api" as const,
    occurredAt: at.toISOString(),
  };
  const insuredValue = { amountMinor: Number.MAX_SAFE_INTEGER, currency: "USD" };
  const input = {
    title: "t",
    category: "collectible" as const,
    condition: "excellent" as const,
    marketKey: "m".repeat(120),
    insuredValue,
    ownerId,
  };
  return {
    writeId,
    tenantId: "carrier-a",
    epoch: 1,
    events: Array.from({ length: events }, (_, n) => ({
      ...eventOf("x".repeat(32), input, { ...input, insuredValue: { ...insuredValue, currency: "EUR" } }),
      ...stamp,
      id: `${writeId}.${n}`,
    })),
  };
}

describe("an outbox page", () => {
  test("comes back as it was, from one blob", () => {
    const page = pageOf(3);
    const data = encodePage(page, at);
    expect(data).toEqual({ page: expect.any(Buffer), events: 3, writtenAt: at });
    expect(decodePage(data)).toEqual(page);
    expect(decodePage({ ...data, page: new Uint8Array(data["page"]) })).toEqual(page);
  });

  test("of many events is packed, and comes back as it was", () => {
    const page = pageOf(400);
    const data = encodePage(page, at);
    expect(data["page"].length).toBeLessThan(JSON.stringify(page).length / 8);
    expect(decodePage(data)).toEqual(page);
    expect(() => decodePage({ ...data, page: data["page"].subarray(0, 500) })).toThrow("end of file");
  });

  test("that unpacks to more than any page is refused", () => {
    const page = gzipSync(Buffer.alloc(outboxLimits.bytes + 1, "x"));
    expect(() => decodePage({ page })).toThrow("larger than");
  });

  test("of 500 of the largest events a client can cause stays within a document", () => {
    const { page } = encodePage(pageOf(outboxLimits.events, "o".repeat(128)), at);
    expect(page.length).toBeLessThanOrEqual(outboxLimits.bytes);
  });

  test("over the limit is refused before it is sent", () => {
    const page = pageOf(1);
    const [event] = page.events;
    if (event === undefined) throw new Error("no event");
    const huge = { ...page, events: [{ ...event, itemId: "x".repeat(outboxLimits.bytes) }] };
    expect(() => encodePage(huge, at)).toThrow("over the limit");
  });

  test.each([
    [{}, "without a page"],
    [{ page: "text" }, "without a page"],
    [{ page: Buffer.from("{}") }, "writeId"],
    [{ page: Buffer.from("rubbish") }, "JSON"],
  ])("is not %j", (data, message) => {
    expect(() => decodePage(data)).toThrow(message);
  });
});
