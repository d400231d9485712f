import { z } from "zod";
import { dateShape, numericDateFormats, parseDateFormat } from "./import-date.ts";
import { band, exactlyOneOf, numberForm } from "./import-number.ts";
import { parseTemplate } from "./import-template.ts";
import { category, condition } from "./item.ts";
import { currency } from "./money.ts";
import { printable } from "./printable.ts";

/** A column of the file, by the name in its header (or, in NDJSON, a key of the object). */
export const columnName = z
  .string()
  .min(1)
  .max(200)
  .regex(printable, "must be printable")
  .refine((name) => name.isWellFormed(), { error: "must be well-formed text" });

const template = z
  .string()
  .min(1)
  .max(500)
  .superRefine((text, ctx) => {
    const parts = parseTemplate(text);
    if (typeof parts === "string") ctx.addIssue({ code: "custom", message: parts });
  });

const originShape = {
  column: columnName.optional().describe("The cell of this column"),
  constant: z.string().min(1).max(5000).optional().describe("The same text for every row"),
  template: template
    .optional()
    .describe("Text with cells in it: `{Policy}/{Item}`, `row-{row}`. Empty when any of its cells is"),
};
const originKeys = ["column", "constant", "template", "firstOf"] as const;

/** Refuse an object that names none or several of the ways to find a text. */
function oneOrigin(value: Partial<Record<(typeof originKeys)[number], unknown>>, ctx: z.RefinementCtx): void {
  const named = originKeys.filter((key) => value[key] !== undefined);
  if (named.length !== 1) {
    ctx.addIssue({
      code: "custom",
      message: `must have exactly one of ${originKeys.join(", ")}${named.length === 0 ? "" : `; it has ${named.join(" and ")}`}`,
    });
  }
}

const fromOne = exactlyOneOf(originKeys);

const origin = z
  .strictObject(originShape)
  .superRefine(oneOrigin)
  .meta(exactlyOneOf(originKeys.filter((key) => key !== "firstOf")));
export type Origin = z.infer<typeof origin>;

const from = {
  ...originShape,
  firstOf: z.array(origin).min(2).max(5).optional().describe("The first of these that is not empty"),
};

const attributeName = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9_]{0,39}$/, "must be 1 to 40 letters, digits or _, starting with a letter");

/** Where the text goes when it cannot be read as what the field wants. Without it such a row is refused. */
const keepAs = attributeName
  .optional()
  .describe(
    "Attribute that keeps the text as it is when it cannot be read; the row then goes in with a warning",
  );

const textField = z
  .strictObject({
    ...from,
    lines: z.enum(["keep", "join"]).default("keep").describe("join: line breaks become spaces"),
    tooLong: z.enum(["refuse", "cut"]).default("refuse").describe("cut: end it with … and warn"),
    values: z.record(z.string(), z.string()).optional().describe("Texts to put in place of others"),
  })
  .superRefine(oneOrigin)
  .meta(fromOne);
export type TextField = z.infer<typeof textField>;

const keyField = z
  .strictObject({
    ...from,
    slug: z
      .boolean()
      .default(false)
      .describe("Make each cell a lower-case word first: `Very Good` → `very-good`"),
    bands: z.record(columnName, band).optional().describe("Columns whose number becomes a band"),
  })
  .superRefine(oneOrigin)
  .meta(fromOne);
export type KeyField = z.infer<typeof keyField>;

const listField = <T extends z.ZodType>(list: T) =>
  z
    .strictObject({
      ...from,
      values: z.record(z.string(), list).optional().describe("Their words → ours. Absent: they use ours"),
      ignoreCase: z.boolean().default(false),
      unlisted: list
        .optional()
        .describe("For words that `values` does not list. Absent: such a row is refused"),
    })
    .superRefine(oneOrigin)
    .meta(fromOne);
const categoryField = listField(category);
const conditionField = listField(condition);
export type ListField = z.infer<typeof categoryField> | z.infer<typeof conditionField>;

const dateFormat = z
  .string()
  .min(1)
  .max(60)
  .superRefine((format, ctx) => {
    if (numericDateFormats.some((f) => f === format)) return;
    const parts = parseDateFormat(format);
    if (typeof parts === "string") ctx.addIssue({ code: "custom", message: parts });
  });

const dateField = z
  .strictObject({
    ...from,
    formats: z
      .array(dateFormat)
      .min(1)
      .max(10)
      .describe(
        "Tried in this order: yyyy-MM-dd, dd.MM.yyyy, d/M/yy, d MMM yyyy, excel-1900, unix-s, unix-ms …",
      ),
    months: z
      .array(z.string().min(1).max(20))
      .length(12)
      .optional()
      .describe("Names for MMM. Absent: English"),
    pivotYear: z
      .int()
      .min(0)
      .max(99)
      .optional()
      .describe("With yy: up to this is 20yy, above it 19yy. Needed with yy"),
    keepAs,
  })
  .superRefine((field, ctx) => {
    oneOrigin(field, ctx);
    const shapes = field.formats.map(dateShape);
    for (const [n, a] of shapes.entries()) {
      const rival = shapes.findIndex(
        (b, m) => m < n && b !== undefined && b.look === a?.look && b.order !== a.order,
      );
      if (rival >= 0) {
        ctx.addIssue({
          code: "custom",
          path: ["formats", n],
          message: `reads the same texts as ${field.formats[rival]} as other days: name one of the two`,
        });
      }
    }
    if (field.formats.some((f) => /(^|[^y])yy($|[^y])/.test(f)) && field.pivotYear === undefined) {
      ctx.addIssue({ code: "custom", path: ["pivotYear"], message: "is needed with a year of two digits" });
    }
  });
export type DateField = z.infer<typeof dateField>;

const moneyField = z
  .strictObject({
    ...from,
    unit: z.enum(["major", "minor"]).describe("major: 326.00 is dollars; minor: 32600 is cents"),
    number: numberForm,
    currency: z
      .strictObject({
        column: columnName.optional(),
        constant: currency.optional(),
        inAmount: z.boolean().optional().describe("The amount's own cell has it: `USD 1,200`, `1.200 €`"),
        values: z
          .record(z.string(), currency)
          .optional()
          .describe("Their signs → ISO codes, such as € → EUR"),
      })
      .refine(
        (c) => [c.column, c.constant, c.inAmount].filter((x) => x !== undefined && x !== false).length === 1,
        {
          error: "must have exactly one of column, constant, inAmount",
        },
      )
      .meta({
        oneOf: [
          { required: ["column"] },
          { required: ["constant"] },
          { required: ["inAmount"], properties: { inAmount: { const: true } } },
        ],
      }),
    extraDecimals: z
      .enum(["refuse", "round"])
      .default("refuse")
      .describe("More decimals than the currency has. round: half away from zero"),
    keepAs,
  })
  .superRefine(oneOrigin)
  .meta(fromOne);
export type MoneyField = z.infer<typeof moneyField>;

const attributeField = z.discriminatedUnion("type", [
  z
    .strictObject({
      type: z.literal("text"),
      ...from,
      lines: z.enum(["keep", "join"]).default("keep"),
      tooLong: z.enum(["refuse", "cut"]).default("refuse"),
      values: z.record(z.string(), z.string()).optional(),
    })
    .superRefine(oneOrigin)
    .meta(fromOne),
  z
    .strictObject({ type: z.literal("number"), ...from, number: numberForm, keepAs })
    .superRefine(oneOrigin)
    .meta(fromOne),
  z
    .strictObject({
      type: z.literal("boolean"),
      ...from,
      true: z.array(z.string().min(1)).min(1).max(20).describe("Words for yes"),
      false: z.array(z.string().min(1)).min(1).max(20).describe("Words for no"),
      keepAs,
    })
    .superRefine(oneOrigin)
    .meta(fromOne),
]);
export type AttributeField = z.infer<typeof attributeField>;

/**
 * From a partner's columns to our fields. Cells are trimmed; a cell in `nullTokens` is empty, and an empty cell
 * leaves its field out.
 */
export const importMapping = z
  .strictObject({
    nullTokens: z
      .array(z.string().max(40))
      .max(20)
      .default([])
      .describe("Cells that mean nothing: N/A, NULL, -"),
    fields: z.strictObject({
      externalId: textField,
      title: textField,
      description: textField.optional(),
      category: categoryField,
      condition: conditionField.optional(),
      marketKey: keyField.optional(),
      insuredValue: moneyField.optional(),
      purchasePrice: moneyField.optional(),
      acquiredOn: dateField.optional(),
      serialNumber: textField.optional(),
      location: textField.optional(),
      ownerId: textField.optional(),
    }),
    attributes: z
      .record(attributeName, attributeField)
      .refine((a) => Object.keys(a).length <= 50, { error: "must not have more than 50 entries" })
      .meta({ maxProperties: 50 })
      .default({}),
    op: z
      .strictObject({
        column: columnName,
        delete: z.array(z.string().min(1)).min(1).max(20).describe("Cells that say: this thing is gone"),
        upsert: z
          .array(z.string())
          .max(20)
          .default([])
          .describe("Cells that say: it is there. Empty ones do too"),
      })
      .optional(),
    ignore: z.array(columnName).max(1000).default([]).describe("Columns left out on purpose"),
  })
  .meta({ id: "ImportMapping" });
export type ImportMapping = z.infer<typeof importMapping>;
