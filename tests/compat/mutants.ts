/** A faulty change of what is stored, and the test that must notice it first. */
export interface Mutant {
  name: string;
  edits: readonly { file: string; find: string; replace: string }[];
  noticedBy: string;
}

const byReaders = "is taken by N's readers, field by field";
const byOld = "reads all that N wrote";

export const mutants: readonly Mutant[] = [
  {
    name: "items: a stored field has another name",
    edits: [
      {
        file: "packages/db/src/items/document.ts",
        find: 'const text: unknown = data["body"];\n  if',
        replace: 'const text: unknown = data["content"];\n  if',
      },
    ],
    noticedBy: byReaders,
  },
  {
    name: "items: another name that is read beside the old one, and written at once",
    edits: [
      {
        file: "packages/db/src/items/document.ts",
        find: 'const text: unknown = data["body"];\n  if',
        replace: 'const text: unknown = data["content"] ?? data["body"];\n  if',
      },
      {
        file: "packages/db/src/items/document.ts",
        find: "    body: `${head}",
        replace: "    content: `${head}",
      },
      {
        file: "packages/db/src/items/document.ts",
        find: "importSource, body: _, ...named",
        replace: "importSource, body: _, content: ____, ...named",
      },
      {
        file: "packages/db/src/portfolio/store.ts",
        find: '"createdAt", "body"]',
        replace: '"createdAt", "body", "content"]',
      },
    ],
    noticedBy: byOld,
  },
  {
    name: "items: a field that must be there",
    edits: [
      {
        file: "packages/db/src/items/document.ts",
        find: "  writeId: z.string(),\n",
        replace: "  writeId: z.string(),\n  origin: z.string(),\n",
      },
    ],
    noticedBy: byReaders,
  },
  {
    name: "claims: a field that must be there",
    edits: [
      {
        file: "packages/contracts/src/placement.ts",
        find: '  state: z.enum(["active", "moving"',
        replace: '  zone: z.string(),\n  state: z.enum(["active", "moving"',
      },
    ],
    noticedBy: byReaders,
  },
  {
    name: "receipts: looked for in another collection",
    edits: [
      {
        file: "packages/db/src/paths.ts",
        find: '.collection("idempotency")',
        replace: '.collection("receipts")',
      },
    ],
    noticedBy: "a write of the release that is made again is answered the same",
  },
  {
    name: "receipts: a number becomes a text, and either is read",
    edits: [
      {
        file: "packages/db/src/items/receipt.ts",
        find: "    status: z.int(),",
        replace: "    status: z.coerce.number(),",
      },
      {
        file: "packages/db/src/items/receipt.ts",
        find: "response: { status: response.status,",
        replace: "response: { status: String(response.status),",
      },
    ],
    noticedBy: "repeats the answers to N's writes",
  },
  {
    name: "imports: a field of their state has another name, and either is read",
    edits: [
      {
        file: "packages/db/src/imports/documents.ts",
        find: "  return { ...state, tombstones: 0 };",
        replace: "  const { seq, ...rest } = state;\n  return { ...rest, number: seq, tombstones: 0 };",
      },
      {
        file: "packages/db/src/imports/documents.ts",
        find: "stateFields.parse(snapshot.data())",
        replace: 'stateFields.parse({ seq: snapshot.get("number"), ...snapshot.data() })',
      },
    ],
    noticedBy: "completes N's imports, one that was broken off while it was written",
  },
  {
    name: "sink: its state has one more field",
    edits: [
      {
        file: "packages/db/src/outbox/sink-state.ts",
        find: "  setAside: count,\n});",
        replace: '  setAside: count,\n  colour: z.string().default("red"),\n});',
      },
    ],
    noticedBy: "delivers what N's sink had planned, and the other way round",
  },
  {
    name: "replica: its state has one more field",
    edits: [
      {
        file: "packages/contracts/src/market.ts",
        find: '    revision: z.int().min(0).describe("Grows',
        replace: '    colour: z.string().default("red"),\n    revision: z.int().min(0).describe("Grows',
      },
    ],
    noticedBy: byOld,
  },
];
