import { z } from "zod";

const schemaObject = z.record(z.string(), z.unknown());
const operation = z.object({
  operationId: z.string(),
  security: z.array(z.unknown()),
  parameters: z.array(z.object({ name: z.string(), in: z.string() })),
  requestBody: z.object({ content: z.record(z.string(), z.object({ schema: schemaObject })) }).optional(),
});
const document = z.object({
  paths: z.record(z.string(), z.record(z.string(), operation)),
  components: z.object({ schemas: z.record(z.string(), schemaObject) }),
});

export interface Operation {
  id: string;
  method: string;
  path: string;
  /** Names of the parameters in the path, the tenant aside, and in the query. */
  parameters: string[];
  query: string[];
  /** A valid body and its media type, when the operation takes one. */
  body: { type: string; text: string } | undefined;
}

/** Every operation that needs a credential, as cells document it; asked at the router. */
export async function guardedOperations(router: string): Promise<Operation[]> {
  const { paths, components } = document.parse(await (await fetch(`${router}/openapi.json`)).json());
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods)
      .filter(([, o]) => o.security.length > 0)
      .map(([method, o]) => ({
        id: o.operationId,
        method: method.toUpperCase(),
        path,
        parameters: o.parameters.filter((p) => p.in === "path" && p.name !== "tenant").map((p) => p.name),
        query: o.parameters.filter((p) => p.in === "query").map((p) => p.name),
        body: bodyOf(o, components.schemas),
      })),
  );
}

function bodyOf(o: z.infer<typeof operation>, schemas: Record<string, Schema>): Operation["body"] {
  const offered = Object.entries(o.requestBody?.content ?? {});
  const [type, body] = offered.find(([name]) => name.includes("ndjson")) ?? offered[0] ?? [];
  if (type === undefined || body === undefined) return undefined;
  const { schema } = body;
  if (schema["type"] === "string") return { type, text: '{"title":"x","category":"other"}\n' };
  return { type, text: JSON.stringify(example(schema, schemas)) };
}

type Schema = Record<string, unknown>;

/** A small value that a schema accepts: its own example, or the least that it requires. */
function example(schema: Schema, schemas: Record<string, Schema>): unknown {
  const { $ref, examples, const: constant, enum: options, anyOf, oneOf, type, properties } = schema;
  if (typeof $ref === "string") return example(schemas[$ref.split("/").at(-1) ?? ""] ?? {}, schemas);
  if (Array.isArray(examples)) return examples[0];
  if (constant !== undefined) return constant;
  if (Array.isArray(options)) return options[0];
  for (const choices of [anyOf, oneOf]) {
    if (!Array.isArray(choices)) continue;
    const made = choices.map((choice) => example(choice as Schema, schemas));
    return made.sort((a, b) => JSON.stringify(a).length - JSON.stringify(b).length)[0];
  }
  if (type === "object") {
    const all = Object.entries((properties ?? {}) as Record<string, Schema>);
    const required = (schema["required"] ?? []) as string[];
    const needed = all.filter(([name]) => required.includes(name));
    // A patch requires nothing, and refuses nothing: one field then.
    const chosen = needed.length > 0 ? needed : all.slice(0, 1);
    return Object.fromEntries(chosen.map(([name, s]) => [name, example(s, schemas)]));
  }
  if (type === "array") return [example((schema["items"] ?? {}) as Schema, schemas)];
  if (type === "integer" || type === "number") return schema["minimum"] ?? 1;
  return type === "boolean" ? false : "example";
}
