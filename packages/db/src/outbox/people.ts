import { createHash } from "node:crypto";
import type { DocumentReference, DocumentSnapshot, Firestore } from "@google-cloud/firestore";
import { isTenantId, setBounded } from "@proveniq/contracts";
import { z } from "zod";
import { operationTimeoutMs, withinDeadline } from "../failures.ts";
import { personRef } from "../paths.ts";

/** Since when somebody is known to a tenant. The name of the document is a hash of the owner's id. */
const knownPerson = z.strictObject({ since: z.iso.date() });
export const sinceOf = (snapshot: DocumentSnapshot): string => knownPerson.parse(snapshot.data()).since;

interface Asked {
  tenantId: string;
  ownerId: string;
  /** UTC day, YYYY-MM-DD. */
  day: string;
}

const atOnce = 300;

/**
 * Since when the tenants of one database know their people, as its sink saw it. Written once for each person and never
 * changed or sent; the last many are remembered.
 */
export class KnownPeople {
  readonly #db: Firestore;
  readonly #remembered = new Map<string, string>();
  readonly #most: number;

  constructor(db: Firestore, most = 100_000) {
    this.#db = db;
    this.#most = most;
  }

  /** The day of each one's first change; for somebody new `day`, which is then written down. No two may be the same person. */
  async since(people: readonly Asked[]): Promise<string[]> {
    const days = people.map(({ tenantId, ownerId }) => this.#remembered.get(`${tenantId}\0${ownerId}`));
    const unknown = [...people.keys()].filter((n) => days[n] === undefined);
    for (let from = 0; from < unknown.length; from += atOnce) {
      await this.#look(people, unknown.slice(from, from + atOnce), days);
    }
    return days.map((day, n) => day ?? people[n]?.day ?? "");
  }

  async #look(
    people: readonly Asked[],
    which: readonly number[],
    days: (string | undefined)[],
  ): Promise<void> {
    const asked = which.flatMap((n) => {
      const person = people[n];
      // A page that names no tenant belongs to nobody who could be known.
      if (person === undefined || !isTenantId(person.tenantId)) return [];
      return [{ n, person, ref: this.#ref(person) }];
    });
    if (asked.length === 0) return;
    const found = await withinDeadline(operationTimeoutMs, () => this.#db.getAll(...asked.map((a) => a.ref)));
    const batch = this.#db.batch();
    let fresh = 0;
    for (const [at, { n, person, ref }] of asked.entries()) {
      const snapshot = found[at];
      const since = snapshot?.exists === true ? sinceOf(snapshot) : person.day;
      if (snapshot?.exists !== true) {
        batch.set(ref, { since });
        fresh++;
      }
      days[n] = since;
    }
    if (fresh > 0) await withinDeadline(operationTimeoutMs, () => batch.commit());
    for (const { n, person } of asked) this.#remember(person, days[n] ?? person.day);
  }

  #ref({ tenantId, ownerId }: Asked): DocumentReference {
    return personRef(this.#db, tenantId, createHash("sha256").update(ownerId).digest("hex"));
  }

  #remember({ tenantId, ownerId }: Asked, since: string): void {
    setBounded(this.#remembered, `${tenantId}\0${ownerId}`, since, this.#most);
  }
}
