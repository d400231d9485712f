import { z } from "zod";

/** For those who read the schema: exactly one of these fields is there. */
export const exactlyOneOf = (keys: readonly string[]) => ({
  oneOf: keys.map((key) => ({ required: [key] })),
});

/** How a number is written. Nothing is guessed: a text in another form is refused. */
export const numberForm = z
  .strictObject({
    decimal: z.enum([".", ","]).describe("What stands before the decimals"),
    grouping: z
      .enum([",", ".", " ", "'", "none"])
      .describe("What stands between groups of three digits; a space is also a no-break or thin space"),
    negative: z.enum(["leading", "trailing", "parentheses"]).default("leading").describe("-5, 5- or (5)"),
    strip: z
      .array(z.string().min(1).max(20))
      .max(20)
      .default([])
      .describe("Units or signs that may stand before or after it, such as mm, % or €"),
  })
  .refine((form) => form.decimal !== form.grouping, { error: "decimal and grouping must differ" })
  .meta({
    not: {
      anyOf: [".", ","].map((sign) => ({
        properties: { decimal: { const: sign }, grouping: { const: sign } },
      })),
    },
  });
export type NumberForm = z.infer<typeof numberForm>;

/** Numeric bands for a key: 0.23 → `0.20-0.39`. By a fixed width, or by edges of your own. */
export const band = z
  .strictObject({
    width: z.number().positive().optional().describe("Bands from 0 in steps of this"),
    edges: z
      .array(z.number())
      .min(2)
      .max(100)
      .optional()
      .describe("Ascending; outside them a row is refused"),
    decimals: z.int().min(0).max(4).describe("Digits after the point in the key"),
    number: numberForm.optional().describe("How the cell is written. Absent: 1234.5"),
  })
  .superRefine((b, ctx) => {
    if ((b.width === undefined) === (b.edges === undefined)) {
      ctx.addIssue({ code: "custom", message: "must have either width or edges" });
    }
    const unit = 10 ** -b.decimals;
    const odd = (n: number) => Math.abs(n / unit - Math.round(n / unit)) > 1e-6;
    if (b.width !== undefined && (b.width < unit - 1e-9 || odd(b.width))) {
      ctx.addIssue({
        code: "custom",
        path: ["width"],
        message: "must be a multiple of the last of the decimals",
      });
    }
    if (b.edges?.some((e, n, all) => odd(e) || (n > 0 && e <= (all[n - 1] ?? 0)))) {
      ctx.addIssue({
        code: "custom",
        path: ["edges"],
        message: "must ascend and have no more decimals than the key",
      });
    }
  })
  .meta(exactlyOneOf(["width", "edges"]));
export type Band = z.infer<typeof band>;
