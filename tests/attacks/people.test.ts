import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { cell, farCell, type Scene, setScene } from "./scene.ts";
import { codeOf, send, told, type WireAnswer } from "./wire.ts";
import type { Door } from "./world.ts";

let scene: Scene;
beforeAll(async () => {
  scene = await setScene(inject("fleet"));
});
afterAll(() => scene.world.close());

type Headers = readonly (readonly [string, string])[];

function call(
  door: Door,
  credential: string,
  method: string,
  path: string,
  body?: unknown,
  headers: Headers = [],
) {
  const json = body === undefined ? [] : ([["content-type", "application/json"]] as const);
  return send(door.origin, {
    method,
    path,
    host: door.host,
    headers: [["authorization", `Bearer ${credential}`], ...json, ...headers],
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

const idsIn = (answer: WireAnswer) => (JSON.parse(answer.body).items as { id: string }[]).map((i) => i.id);
const nobody = "b7Jq2mX9aL0cV4tR8sWd";
const doors = ["router", "cell"] as const;
const doorOf = (name: (typeof doors)[number]) => {
  const door = scene.world.doors(cell).find((d) => d.name === name);
  if (door === undefined) throw new Error(`no door ${name}`);
  return door;
};

describe.each(doors)("people of one tenant, through the %s", (name) => {
  test("one person reads, changes and deletes nothing of another's", async () => {
    const door = doorOf(name);
    const { bob, ben, staff } = scene.blue;
    for (const [who, foreign] of [
      [bob, scene.ids.bens],
      [ben, scene.ids.bobs],
      [bob, scene.ids.blue],
    ] as const) {
      for (const [method, body] of [
        ["GET", undefined],
        ["PATCH", { title: "mine" }],
        ["DELETE", undefined],
      ] as const) {
        const answer = await call(door, who, method, `/v1/items/${foreign}`, body);
        const missing = await call(door, who, method, `/v1/items/${nobody}`, body);
        expect(answer.status).toBe(404);
        expect(told(answer)).toBe(told(missing));
      }
    }
    expect((await call(door, staff, "GET", `/v1/items/${scene.ids.bobs}`)).status).toBe(200);
  });

  test("a person's list has what is theirs and nothing else, whatever is asked for", async () => {
    const door = doorOf(name);
    for (const query of ["", "?limit=100", "?category=other", `?externalId=${scene.canary}-ben`]) {
      const answer = await call(door, scene.blue.bob, "GET", `/v1/items${query}`);
      expect(answer.status).toBe(200);
      expect(answer.body).not.toContain(scene.ids.bens);
      expect(answer.body).not.toContain(scene.ids.blue);
    }
    expect(idsIn(await call(door, scene.blue.bob, "GET", "/v1/items?limit=100"))).toContain(scene.ids.bobs);
  });

  test("a person's totals count what is theirs", async () => {
    const door = doorOf(name);
    const stranger = await scene.world.token(cell, { sub: `new-${randomUUID()}`, tenant: scene.blue.tenant });
    const counted = async (credential: string) => {
      const answer = await call(door, credential, "GET", "/v1/portfolio");
      expect(answer.status).toBe(200);
      return JSON.parse(answer.body) as { items: number; insured: { amountMinor: number }[] };
    };
    expect(await counted(stranger)).toMatchObject({ items: 0, insured: [] });
    const bens = await counted(scene.blue.ben);
    const own = idsIn(await call(door, scene.blue.ben, "GET", "/v1/items?limit=100"));
    expect(bens.items).toBe(own.length);
  });

  test("an external id that another has taken tells nothing of it", async () => {
    const door = doorOf(name);
    const taken = { title: "probe", category: "other", externalId: `${scene.canary}-ben` };
    const free = { ...taken, externalId: `${scene.canary}-${randomUUID()}` };
    const [first, second] = [
      await call(door, scene.red.person, "POST", "/v1/items", taken),
      await call(door, scene.red.person, "POST", "/v1/items", free),
    ];
    expect([201, 409]).toContain(first.status);
    expect(second.status).toBe(201);
    expect((await call(door, scene.blue.bob, "POST", "/v1/items", taken)).status).not.toBe(404);
    const again = await call(door, scene.blue.ben, "GET", `/v1/items/${scene.ids.bens}`);
    expect(again.status).toBe(200);
  });
});

describe.each(doors)("cursors, through the %s", (name) => {
  const cursorOf = async (door: Door, credential: string, query = "limit=1") => {
    const answer = await call(door, credential, "GET", `/v1/items?${query}`);
    const { nextCursor } = JSON.parse(answer.body) as { nextCursor?: string };
    if (nextCursor === undefined) throw new Error("one page is not enough for this test");
    return nextCursor;
  };
  const use = (door: Door, credential: string, cursor: string, query = "limit=1") =>
    call(door, credential, "GET", `/v1/items?${query}&cursor=${encodeURIComponent(cursor)}`);

  test("are good for nobody but who got them, with the same filters", async () => {
    const door = doorOf(name);
    const blues = await cursorOf(door, scene.blue.key);
    const staffs = await cursorOf(door, scene.blue.staff);
    const rosas = await cursorOf(door, scene.red.person);
    for (const [who, cursor, query] of [
      [scene.red.key, blues],
      [scene.red.person, blues],
      [scene.blue.bob, blues],
      [scene.blue.bob, staffs],
      [scene.blue.key, staffs],
      [scene.red.otherPerson, rosas],
      [scene.red.staff, rosas],
      [scene.red.person, rosas, "limit=1&category=other"],
      [scene.red.secondKey, await cursorOf(door, scene.red.key)],
    ] as const) {
      expect(codeOf(await use(door, who, cursor, query))).toBe("invalid-cursor");
    }
    expect((await use(door, scene.red.person, rosas)).status).toBe(200);
    // Replayed, it gives the same page again and no more.
    expect((await use(door, scene.red.person, rosas)).body).toBe(
      (await use(door, scene.red.person, rosas)).body,
    );
  });

  test("are refused when any character is changed, lost or added", async () => {
    const door = doorOf(name);
    const cursor = await cursorOf(door, scene.red.key);
    const changed = Array.from(
      cursor,
      (c, at) => cursor.slice(0, at) + (c === "A" ? "B" : "A") + cursor.slice(at + 1),
    );
    const wrong = [
      ...changed,
      cursor.slice(1),
      cursor.slice(0, -1),
      `${cursor}A`,
      `A${cursor}`,
      "",
      "A".repeat(999),
    ];
    for (const tampered of wrong) {
      const code = codeOf(await use(door, scene.red.key, tampered));
      expect([tampered, code]).toEqual([tampered, "invalid-cursor"]);
    }
  });
});

describe.each(doors)("Idempotency-Keys, through the %s", (name) => {
  test("of another principal, of the same tenant too, are nobody's business", async () => {
    const door = doorOf(name);
    const key = [["idempotency-key", `shared-${randomUUID()}`]] as const;
    const body = { title: `${scene.canary} idempotent`, category: "other" };
    const first = await call(door, scene.blue.bob, "POST", "/v1/items", body, key);
    expect(first.status).toBe(201);
    const { id } = JSON.parse(first.body) as { id: string };
    for (const who of [
      scene.blue.ben,
      scene.red.person,
      scene.red.key,
      scene.red.secondKey,
      scene.red.staff,
    ]) {
      const answer = await call(door, who, "POST", "/v1/items", { ...body, title: "red" }, key);
      expect(answer.status).toBe(201);
      expect(answer.headers).not.toHaveProperty("idempotency-replayed");
      expect(answer.body).not.toContain(id);
      expect(answer.body).not.toContain(scene.canary);
    }
    const again = await call(door, scene.blue.bob, "POST", "/v1/items", body, key);
    expect([again.body, again.headers["idempotency-replayed"]]).toEqual([first.body, "true"]);
    const other = await call(door, scene.blue.bob, "POST", "/v1/items", { ...body, title: "other" }, key);
    expect(codeOf(other)).toBe("idempotency-conflict");
  });
});

test("a revoked key that is in use is refused within ten seconds", { timeout: 20_000 }, async () => {
  const key = await scene.world.key(scene.red.tenant);
  const door = doorOf("router");
  const status = async () => (await call(door, key, "GET", "/v1/me")).status;
  expect(await status()).toBe(200);
  await scene.world.revoke(key);
  const revoked = performance.now();
  await expect.poll(status, { timeout: 15_000, interval: 100 }).toBe(401);
  expect(performance.now() - revoked).toBeLessThan(10_000);
});

describe("a key of one cell in another", () => {
  test("is no key: the EU's, the carrier's and the consumers' cells answer alike", async () => {
    for (const credential of [scene.red.key, scene.blue.key]) {
      for (const other of [farCell, "enterprise-a"]) {
        const answer = await scene.world.call(other, credential, "GET", "/v1/items");
        expect([other, answer.status, codeOf(answer)]).toEqual([other, 421, "misdirected-request"]);
      }
    }
    for (const token of [scene.red.person, scene.red.staff]) {
      for (const other of [farCell, "enterprise-a"]) {
        expect((await scene.world.call(other, token, "GET", "/v1/items")).status).toBe(401);
      }
    }
    expect((await scene.world.call(cell, scene.navy.key, "GET", "/v1/items")).status).toBe(421);
  });
});
