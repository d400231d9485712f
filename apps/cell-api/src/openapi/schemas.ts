import { z } from "zod";
import type { JsonSchema } from "./types.ts";

const prefix = "#/components/schemas/";

/** Collects the named schemas that a document refers to while its parts are written. */
export class SchemaCollector {
  readonly #known: Record<string, JsonSchema>;
  readonly #used = new Set<string>();

  constructor() {
    this.#known = z.toJSONSchema(z.globalRegistry, { uri: (id) => prefix + id }).schemas;
  }

  /** A schema as it goes into the document: a reference when it has a name. */
  reference(schema: z.ZodType): JsonSchema {
    const id = z.globalRegistry.get(schema)?.id;
    if (id !== undefined && Object.hasOwn(this.#known, id)) {
      this.#use(id);
      return { $ref: prefix + id };
    }
    const { $schema: _, $defs: __, ...inline } = z.toJSONSchema(schema);
    return inline;
  }

  /** Every schema referred to so far, sorted by name. */
  components(): Record<string, JsonSchema> {
    return Object.fromEntries(
      [...this.#used].sort().map((id) => {
        const { $schema: _, $id: __, ...schema } = this.#known[id] ?? {};
        return [id, schema];
      }),
    );
  }

  #use(id: string): void {
    if (this.#used.has(id)) return;
    this.#used.add(id);
    for (const [, name] of JSON.stringify(this.#known[id]).matchAll(/"#\/components\/schemas\/([^"]+)"/g)) {
      if (name !== undefined) this.#use(name);
    }
  }
}
