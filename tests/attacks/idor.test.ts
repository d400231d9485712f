import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { guardedOperations, type Operation } from "./openapi.ts";
import { cell, type Scene, setScene } from "./scene.ts";
import { codeOf, send, told, type WireAnswer } from "./wire.ts";
import type { Door } from "./world.ts";

/**
 * The matrix: every operation of the OpenAPI document × every foreign object × every kind of principal. Whoever adds a
 * route has it here; whoever adds a kind of object says below how a victim comes by one.
 */

const fleet = inject("fleet");
const operations = await guardedOperations(fleet.router);

/** Parameters that name nobody's object. */
const shared: Record<string, string> = { chunk: "1", marketKey: "diamond:ideal:e:si2:0.20-0.29" };

/** What some operations need in the query. */
const needed: Record<string, string> = { firstRow: "1" };

const digestOf = (text: string) => `sha-256=:${createHash("sha256").update(text).digest("base64")}:`;

interface Principal {
  name: string;
  credential: string;
  tenant: string;
  /** By parameter: ids of objects that are another's. */
  foreign: Record<string, string[]>;
}

/** By parameter: an id of the right shape that nobody has. */
const missing: Record<string, string> = {
  itemId: "b7Jq2mX9aL0cV4tR8sWd",
  importId: "b7Jq2mX9aL0cV4tR8sWd",
};

let scene: Scene;
let principals: Principal[];
let before: string;
beforeAll(async () => {
  scene = await setScene(fleet);
  const { red, blue, ids } = scene;
  const items = Object.values(ids);
  const imports = [await plantImport(blue.key)];
  const notBlues = { itemId: [ids.navy], importId: [await plantImport(red.key)] };
  const all = { itemId: items, importId: imports };
  principals = [
    { name: "another tenant's key", credential: red.key, tenant: red.tenant, foreign: all },
    { name: "another tenant's staff", credential: red.staff, tenant: red.tenant, foreign: all },
    { name: "another tenant's person", credential: red.person, tenant: red.tenant, foreign: all },
    {
      name: "another person of the tenant",
      credential: blue.ben,
      tenant: blue.tenant,
      foreign: { ...all, itemId: [ids.blue, ids.bobs, ids.navy] },
    },
    { name: "the tenant's staff", credential: blue.staff, tenant: blue.tenant, foreign: notBlues },
    { name: "the tenant's key", credential: blue.key, tenant: blue.tenant, foreign: notBlues },
  ];
  before = await everything();
});
afterAll(() => scene.world.close());

async function plantImport(credential: string): Promise<string> {
  const create = operations.find((o) => o.id === "createImport");
  const body: unknown = JSON.parse(create?.body?.text ?? "{}");
  const answer = await scene.world.call(cell, credential, "POST", "/v1/imports", body);
  if (answer.status !== 201) throw new Error(`no import could be made: ${answer.status} ${answer.body}`);
  return JSON.parse(answer.body).id as string;
}

async function everything(): Promise<string> {
  const jobs = await scene.world.call(cell, scene.blue.key, "GET", "/v1/imports");
  return `${await scene.holdings()}\n${jobs.body}`;
}

function ask(door: Door, operation: Operation, principal: Principal, values: Record<string, string>) {
  const { method, path, query, body } = operation;
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => values[name] ?? principal.tenant);
  const asked = query.filter((name) => Object.hasOwn(needed, name)).map((name) => `${name}=${needed[name]}`);
  return send(path.includes("/v1/imports") ? door.bulk : door.origin, {
    method,
    path: asked.length === 0 ? filled : `${filled}?${asked.join("&")}`,
    host: door.host,
    headers: [
      ["authorization", `Bearer ${principal.credential}`],
      ...(body === undefined
        ? []
        : ([
            ["content-type", body.type],
            ["content-digest", digestOf(body.text)],
          ] as const)),
    ],
    ...(body === undefined ? {} : { body: body.text }),
  });
}

/** Every way to fill an operation's path with one foreign object in it. */
function fillings({ parameters }: Operation, foreign: Record<string, string[]>) {
  const objects = parameters.filter((name) => !Object.hasOwn(shared, name));
  return objects.flatMap((name) =>
    (foreign[name] ?? []).map((id) => ({ ...missing, ...shared, [name]: id })),
  );
}

test("every parameter is known: how does a victim come by one?", () => {
  const names = new Set(operations.flatMap((o) => o.parameters));
  expect([...names].filter((n) => !Object.hasOwn(shared, n) && !Object.hasOwn(missing, n))).toEqual([]);
  expect(operations.length).toBeGreaterThanOrEqual(12);
});

describe("foreign and missing objects are the same", () => {
  const withObjects = operations.filter((o) => o.parameters.some((name) => !Object.hasOwn(shared, name)));
  test.each(withObjects.map((o) => [`${o.method} ${o.path}`, o] as const))("%s", async (_, operation) => {
    for (const door of scene.world.doors(cell)) {
      for (const principal of principals) {
        const absent = await ask(door, operation, principal, { ...shared, ...missing });
        expect([principal.name, absent.status, codeOf(absent)]).toEqual([
          principal.name,
          ...(absent.status === 403 ? [403, "forbidden"] : [404, "not-found"]),
        ]);
        const tried = fillings(operation, principal.foreign);
        expect(tried.length).toBeGreaterThan(0);
        for (const values of tried) {
          const answer: WireAnswer = await ask(door, operation, principal, values);
          expect([door.name, principal.name, values, told(answer)]).toEqual([
            door.name,
            principal.name,
            values,
            told(absent),
          ]);
        }
      }
    }
  });

  test("403 is for kinds that the operation is not for, never for an object", async () => {
    const [door] = scene.world.doors(cell);
    if (door === undefined) throw new Error("no door");
    for (const operation of withObjects) {
      for (const principal of principals) {
        const { status } = await ask(door, operation, principal, { ...shared, ...missing });
        const person = principal.name.includes("person");
        const meant = operation.path.includes("/imports") && person ? 403 : 404;
        expect([operation.id, principal.name, status]).toEqual([operation.id, principal.name, meant]);
      }
    }
  });
});

describe("what names no object tells of none", () => {
  const without = operations.filter((o) => o.parameters.every((name) => Object.hasOwn(shared, name)));
  test.each(without.map((o) => [`${o.method} ${o.path}`, o] as const))("%s", async (_, operation) => {
    for (const door of scene.world.doors(cell)) {
      for (const principal of principals.filter((p) => p.tenant === scene.red.tenant)) {
        const answer = await ask(door, operation, principal, { ...shared });
        expect(answer.status).toBeLessThan(500);
        for (const secret of [scene.canary, ...Object.values(scene.ids), "987654321", '"bob"', '"ben"']) {
          expect(answer.body).not.toContain(secret);
        }
      }
    }
  });
});

test("nothing of all that changed a victim's thing", async () => {
  expect(await everything()).toBe(before);
});
