import { type DocumentSnapshot, Timestamp } from "@google-cloud/firestore";
import { importInput } from "@proveniq/contracts";
import { expect, test } from "vitest";
import { importDocument, readImport } from "./documents.ts";

const fields = { externalId: { column: "id" }, title: { column: "id" }, category: { constant: "art" } };
const record = (format: object) => ({
  id: "i".repeat(20),
  input: importInput.parse({ source: "book", format, mapping: { fields } }),
  seq: 1,
  state: "open" as const,
  createdAt: new Date(0),
  updatedAt: new Date(0),
  warnings: [],
  engine: { phase: "receiving" as const, buckets: 8, check: 0, ranges: 0 },
});
const csv = { type: "csv", delimiter: ",", columns: ["id"], header: "none" };
function read(written: Record<string, unknown>) {
  const stored = Object.entries(written).map(([key, value]) => [
    key,
    value instanceof Date ? Timestamp.fromDate(value) : value,
  ]);
  const data = () => Object.fromEntries(stored);
  return readImport({ id: "i".repeat(20), data } as unknown as DocumentSnapshot);
}

test.each([csv, { ...csv, lineEnd: "cr" }, { ...csv, lineEnd: "lf" }, { type: "ndjson" }])(
  "an import of the format %o comes back",
  (format) => {
    expect(read(importDocument(record(format)))).toEqual(record(format));
  },
);

test("what ends a line stands where a release that does not know it does not look", () => {
  const stored = importDocument(record({ ...csv, lineEnd: "cr" }));
  expect(stored["lineEnd"]).toBe("cr");
  expect(stored["input"]).not.toContain("lineEnd");
  expect(importDocument(record(csv))).not.toHaveProperty("lineEnd");
});
