import { z } from "zod";
import type { JsonSchema } from "./types.ts";

const prefix = "#/components/schemas/";

/** What is sent to us, where fields with a default may be left out; and what we answer, where they never are. */
export type Form = "input" | "output";

/** Collects the named schemas that a document refers to while its parts are written. */
export class SchemaCollector {
  readonly #known: Record<Form, Record<string, JsonSchema>>;
  readonly #used = new Map<string, JsonSchema>();

  constructor() {
    const all = (io: Form) =>
      z.toJSONSchema(z.globalRegistry, {
        io,
        uri: (id) => prefix + id,
        override: ({ jsonSchema }) => {
          if (io === "input") tellDefault(jsonSchema);
        },
      }).schemas;
    this.#known = { input: all("input"), output: all("output") };
  }

  /**
   * A schema as it goes into the document: a reference when it has a name. Throws when one name would mean different things in
   * requests and answers.
   */
  reference(schema: z.ZodType, io: Form): JsonSchema {
    const id = z.globalRegistry.get(schema)?.id;
    if (id !== undefined && Object.hasOwn(this.#known[io], id)) {
      this.#use(id, io);
      return { $ref: prefix + id };
    }
    const { $schema: _, $defs: __, ...inline } = z.toJSONSchema(schema, { io });
    return inline;
  }

  /** Every schema referred to so far, sorted by name. */
  components(): Record<string, JsonSchema> {
    return Object.fromEntries([...this.#used].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  #use(id: string, io: Form): void {
    const { $schema: _, $id: __, ...schema } = this.#known[io][id] ?? {};
    const before = this.#used.get(id);
    if (before !== undefined) {
      if (JSON.stringify(before) === JSON.stringify(schema)) return;
      throw new Error(`the schema ${id} is one thing in requests and another in answers: name it twice`);
    }
    this.#used.set(id, schema);
    for (const [, name] of JSON.stringify(schema).matchAll(/"#\/components\/schemas\/([^"]+)"/g)) {
      if (name !== undefined) this.#use(name, io);
    }
  }
}

/**
 * Say in words what holds when a field is left out. Generators of clients take the keyword for a promise that the field is always
 * there, and then refuse to compile requests without it.
 */
function tellDefault(schema: JsonSchema): void {
  if (!Object.hasOwn(schema, "default")) return;
  const { default: value, description } = schema;
  delete schema["default"];
  const told = `\`${JSON.stringify(value)}\` unless it is given`;
  schema["description"] = typeof description === "string" ? `${description}. ${told}` : told;
}
