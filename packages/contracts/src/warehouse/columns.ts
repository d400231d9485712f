import { z } from "zod";

/** One column as BigQuery knows it. */
export interface Column {
  name: string;
  type: "STRING" | "INT64" | "DATE" | "TIMESTAMP";
  mode: "REQUIRED";
  description: string;
  /** The only values it may have, when they can be listed. */
  values?: readonly string[];
}

const property = z.object({
  $ref: z.string().optional(),
  type: z.string().optional(),
  format: z.string().optional(),
  description: z.string().min(1).optional(),
  enum: z.array(z.string()).optional(),
});
type Property = z.infer<typeof property>;
const rowSchema = z.object({
  properties: z.record(z.string(), property),
  $defs: z.record(z.string(), property).default({}),
});

function columnType({ type, format }: Property): Column["type"] {
  if (format === "date") return "DATE";
  if (format === "date-time") return "TIMESTAMP";
  if (type === "integer") return "INT64";
  if (type === "string") return "STRING";
  throw new Error(`no column type for ${type}`);
}

/** Columns of a row schema, in its order, which is also the order of the fields on the wire. */
export function columnsOf(row: z.ZodObject): Column[] {
  const { properties, $defs } = rowSchema.parse(z.toJSONSchema(row, { io: "input" }));
  return Object.entries(properties).map(([name, own]) => {
    const shared = own.$ref === undefined ? undefined : $defs[own.$ref.replace("#/$defs/", "")];
    const { description, ...shape } = { ...shared, ...own };
    if (description === undefined) throw new Error(`column ${name} has no description`);
    return {
      name,
      type: columnType(shape),
      mode: "REQUIRED",
      description,
      ...(shape.enum === undefined ? {} : { values: shape.enum }),
    };
  });
}
