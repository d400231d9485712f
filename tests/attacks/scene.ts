import type { FleetState } from "@proveniq/local-cloud/fleet";
import { World } from "./world.ts";

/** What every attack is played on. */
export interface Scene {
  world: World;
  /** The attacker's credentials. */
  red: {
    tenant: string;
    key: string;
    secondKey: string;
    readOnly: string;
    person: string;
    otherPerson: string;
    staff: string;
  };
  /** The victim's, for looking after it. */
  blue: { tenant: string; key: string; bob: string; ben: string; staff: string };
  /** A victim in another cell. */
  navy: { tenant: string; key: string };
  /** Ids of the victims' things. */
  ids: { blue: string; bobs: string; bens: string; navy: string };
  /** In every text of the victims' things. */
  canary: string;
  /** The victims' things as their owners see them, to compare with afterwards. */
  holdings(): Promise<string>;
}

export const cell = "eu";
export const database = "eu-partners";
export const farCell = "consumer";

/** Set the scene in a running fleet: new keys, people and things each time, in tenants that stay. */
export async function setScene(state: FleetState): Promise<Scene> {
  const world = await World.enter(state);
  const red = await world.tenant("attack-red", cell, database);
  const blue = await world.tenant("attack-blue", cell, database);
  const navy = await world.tenant("attack-navy", farCell);
  const canary = `canary-${world.run}`;
  const person = (tenant: string, sub: string, more: Record<string, unknown> = {}) =>
    world.token(cell, { sub, tenant, ...more });
  const scene = {
    world,
    red: {
      tenant: red,
      key: await world.key(red),
      secondKey: await world.key(red),
      readOnly: await world.key(red, ["items:read"]),
      person: await person(red, "rosa"),
      otherPerson: await person(red, "rita"),
      staff: await person(red, "rolf", { role: "staff" }),
    },
    blue: {
      tenant: blue,
      key: await world.key(blue),
      bob: await person(blue, "bob"),
      ben: await person(blue, "ben"),
      staff: await person(blue, "bert", { role: "staff" }),
    },
    navy: { tenant: navy, key: await world.key(navy) },
    canary,
  };
  const thing = (name: string) => ({
    title: `${canary} ${name}`,
    description: `${canary} description`,
    serialNumber: canary,
    externalId: `${canary}-${name}`,
    insuredValue: { amountMinor: 987_654_321, currency: "EUR" },
  });
  const ids = {
    blue: await world.plant(cell, scene.blue.key, thing("blue")),
    bobs: await world.plant(cell, scene.blue.bob, thing("bob")),
    bens: await world.plant(cell, scene.blue.ben, thing("ben")),
    navy: await world.plant(farCell, scene.navy.key, thing("navy")),
  };
  // Something of the attacker's own, so that lists are not empty.
  for (const credential of [scene.red.key, scene.red.person, scene.red.otherPerson]) {
    for (let n = 0; n < 3; n += 1) await world.plant(cell, credential, { title: `red ${n}` });
  }
  const holdings = async () => {
    const seen: string[] = [];
    for (const [where, key, of] of [
      [cell, scene.blue.key, [ids.blue, ids.bobs, ids.bens]],
      [farCell, scene.navy.key, [ids.navy]],
    ] as const) {
      for (const id of of) {
        const { status, headers, body } = await world.call(where, key, "GET", `/v1/items/${id}`);
        seen.push(`${status} ${headers["etag"]} ${body}`);
      }
    }
    return seen.join("\n");
  };
  return { ...scene, ids, holdings };
}
