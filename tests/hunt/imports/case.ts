import { Random } from "../random.ts";
import { Book, type Stored } from "./book.ts";
import { Broken, Caller } from "./caller.ts";
import { HuntedImport } from "./import.ts";
import type { Fields, Held } from "./model.ts";
import type { Scene } from "./scene.ts";
import { itemIdOf, type Stack, type Tenant } from "./stack.ts";
import { makeTheme, type Theme } from "./theme.ts";

/** What all cases may name. */
export const allThings = ["A-1", "A-2", "B 3", "Ä/4", "x.5", "C6", "C7", "C8"] as const;

/** One case: a tenant, some imports, and people who change things meanwhile. All follows from the seed and its number. */
export class Case {
  readonly number: number;
  readonly faults: string[] = [];
  readonly caller: Caller;
  readonly tenant: Tenant;
  readonly #random: Random;
  readonly #book: Book;
  readonly #imports: HuntedImport[];
  readonly #theme: Theme;
  readonly #things: readonly string[];
  #writes = 0;

  constructor(stack: Stack, tenant: Tenant, seed: number, number: number, rough: () => boolean) {
    this.number = number;
    this.tenant = tenant;
    this.#random = new Random(seed, number);
    const random = this.#random;
    this.#theme = makeTheme(random, allThings);
    const { instances, things, imports, busy } = this.#theme;
    this.caller = new Caller(stack, tenant, instances, rough);
    this.#things = things;
    this.#book = new Book(tenant.id, allThings);
    const scene: Scene = {
      random,
      caller: this.caller,
      book: this.#book,
      faults: this.faults,
      interrupt: () => this.#write(),
      held: () => stack.held(tenant, allThings),
      busy,
      mostCalls: (rows) => 40 + 3 * rows + (rough() ? 60 : 0),
    };
    this.#imports = imports.map((choices) => new HuntedImport(choices, scene));
  }

  async play(): Promise<void> {
    const random = this.#random;
    const { writes, overlap, busy } = this.#theme;
    try {
      for (let n = writes; n > 0; n--) await this.#write();
      for (;;) {
        const left = this.#imports.filter((each) => !each.isOver);
        const [next] = left;
        if (next === undefined) break;
        await (overlap ? random.pick(left) : next).step();
        if (random.chance(busy)) await this.#write();
      }
    } catch (error) {
      if (!(error instanceof Broken)) throw error;
      this.faults.push(error.message);
    }
  }

  /** Compare what the book must be with what is stored. */
  compare(stored: ReadonlyMap<string, Stored>): string[] {
    // What stopped half-way says nothing about the book.
    if (this.faults.length > 0) return this.faults;
    const unknown = [...stored.keys()].filter((name) => !this.#book.things.includes(name));
    if (unknown.length > 0) this.faults.push(`there are things that nobody named: ${unknown.join(", ")}`);
    this.faults.push(...this.#book.found(stored));
    if (this.faults.length === 0) this.faults.push(...this.#imports.flatMap((each) => each.accounts()));
    return this.faults;
  }

  /** A person or a program posts, changes or deletes one thing. */
  async #write(): Promise<void> {
    const random = this.#random;
    const thing = random.pick(this.#things);
    const asked = random.weighted([
      [4, "post"],
      [3, "patch"],
      [2, "delete"],
    ] as const);
    const headers = { "content-type": "application/json", "idempotency-key": `write-${++this.#writes}` };
    const path = `/items/${itemIdOf(thing)}`;
    if (asked === "delete") {
      const answer = await this.caller.call("api", "DELETE", path, {
        headers: { "idempotency-key": headers["idempotency-key"] },
      });
      this.#seen(thing, `DELETE → ${answer.status}`, (held) =>
        answer.status === (held === undefined ? 404 : 204) ? { held: undefined } : undefined,
      );
    } else if (asked === "post") {
      const input = this.#newItem(thing);
      const answer = await this.caller.call("api", "POST", "/items", {
        headers,
        body: JSON.stringify(input),
      });
      this.#seen(thing, `POST → ${answer.status}`, (held) => {
        if (held !== undefined) return answer.status === 409 ? { held } : undefined;
        if (answer.status !== 201) return undefined;
        return {
          held: {
            item: { ...input, ownerId: input.ownerId ?? this.tenant.id },
            version: 1,
            source: undefined,
          },
        };
      });
    } else {
      const title = random.pick(["Ring", "Clock"]);
      const answer = await this.caller.call("api", "PATCH", path, {
        headers,
        body: JSON.stringify({ title }),
      });
      const told = answer.status === 200 ? (JSON.parse(answer.text) as { version: number }) : undefined;
      this.#seen(thing, `PATCH ${title} → ${answer.status} ${told?.version ?? ""}`, (held) => {
        if (held === undefined) return answer.status === 404 ? { held } : undefined;
        const next: Held =
          held.item.title === title
            ? held
            : { ...held, item: { ...held.item, title }, version: held.version + 1 };
        return told?.version === next.version ? { held: next } : undefined;
      });
    }
  }

  #newItem(externalId: string): Fields {
    const random = this.#random;
    const letter = random.pick(["a", "b"]);
    const big = Object.fromEntries(
      Array.from({ length: 30 }, (_, n) => [`${letter}${String(n).padStart(2, "0")}`, "x"]),
    );
    const item: Fields = { externalId, title: random.pick(["Ring", "Watch"]), category: "jewellery" };
    if (random.chance(0.5)) item.insuredValue = { amountMinor: 100, currency: "EUR" };
    if (random.chance(0.3)) item.description = "By hand";
    if (random.chance(0.5)) item.attributes = big;
    if (random.chance(0.2)) item.ownerId = "o-9";
    return item;
  }

  #seen(
    thing: string,
    what: string,
    step: (held: Held | undefined) => { held: Held | undefined } | undefined,
  ): void {
    this.faults.push(...this.#book.seen(thing, what, step));
  }
}
