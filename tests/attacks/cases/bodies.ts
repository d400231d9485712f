import type { Scene } from "../scene.ts";
import type { WireRequest } from "../wire.ts";
import type { Door } from "../world.ts";
import { type Attack, bearer } from "./attack.ts";

const valid = '"title":"x","category":"other"';
const post = (door: Door, credential: string, body: string): WireRequest => ({
  method: "POST",
  path: "/v1/items",
  host: door.host,
  headers: [bearer(credential), ["content-type", "application/json"]],
  body,
});

async function patches(s: Scene, door: Door, bodies: readonly string[]): Promise<WireRequest[]> {
  const id = await s.world.plant("eu", s.red.key, { title: "to be patched" });
  return bodies.map((body) => ({ ...post(door, s.red.key, body), method: "PATCH", path: `/v1/items/${id}` }));
}

/** What is sent in. */
export const bodyAttacks: readonly Attack[] = [
  {
    name: "mass assignment of tenantId, epoch, id, version, times and inner fields",
    make: (s, door) =>
      [
        `"tenantId":"${s.blue.tenant}"`,
        '"epoch":9',
        `"id":"${s.ids.blue}"`,
        '"version":9',
        '"createdAt":"2020-01-01T00:00:00Z"',
        '"writeId":"aaaaaaaaaaaaaaaaaaaa"',
        '"imported":{}',
        `"tenants":{"${s.blue.tenant}":{}}`,
      ].map((more) => post(door, s.red.key, `{${valid},${more}}`)),
    outcomes: ["400 invalid-request"],
  },
  {
    name: "mass assignment of ownerId by a person",
    make: (s, door) =>
      ["bob", "rita", "rosa", s.red.tenant].map((owner) =>
        post(door, s.red.person, `{${valid},"ownerId":"${owner}"}`),
      ),
    outcomes: ["400 invalid-request"],
  },
  {
    name: "a change of identity by patch",
    make: (s, door) =>
      patches(s, door, [
        '{"ownerId":"bob"}',
        '{"externalId":"y"}',
        `{"tenantId":"${s.blue.tenant}"}`,
        '{"id":"b7Jq2mX9aL0cV4tR8sWd"}',
        '{"title":"y","ownerId":null}',
      ]),
    outcomes: ["400 invalid-request"],
  },
  {
    name: "__proto__, constructor and prototype in the body",
    make: (s, door) =>
      [
        '"__proto__":{"ownerId":"bob"}',
        '"constructor":{"prototype":{"ownerId":"bob"}}',
        '"prototype":{}',
        '"attributes":{"__proto__":{"polluted":true}}',
        '"attributes":{"__proto__":1}',
      ].map((more) => post(door, s.red.key, `{${valid},${more}}`)),
    outcomes: ["400 invalid-request"],
  },
  {
    name: "deep JSON",
    make: (s, door) =>
      [21, 2_000, 100_000].map((depth) =>
        post(door, s.red.key, `{${valid},"attributes":${'{"a":'.repeat(depth)}1${"}".repeat(depth)}}`),
      ),
    outcomes: ["400 invalid-json", "413 payload-too-large"],
  },
  {
    name: "a body that is too large, by declaration and by surprise",
    make: (s, door) => [post(door, s.red.key, `{${valid},"description":"${"x".repeat(300_000)}"}`)],
    outcomes: ["413 payload-too-large"],
  },
  {
    name: "other media types, encodings and charsets",
    make: (s, door) => {
      const of = (more: readonly (readonly [string, string])[]) => ({
        ...post(door, s.red.key, `{${valid}}`),
        headers: [bearer(s.red.key), ...more],
      });
      return [
        of([]),
        of([["content-type", "text/plain"]]),
        of([["content-type", "application/x-www-form-urlencoded"]]),
        of([["content-type", "text/json"]]),
        of([
          ["content-type", "application/json"],
          ["content-encoding", "gzip"],
        ]),
      ];
    },
    outcomes: ["415 unsupported-media-type"],
  },
];
