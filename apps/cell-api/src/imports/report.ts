import type { TenantDb } from "@proveniq/db/tenant";

/** Stream an import's row report: as CSV the refused rows only, as NDJSON all. */
export async function importRowReports(db: TenantDb, id: string, as: "csv" | "ndjson"): Promise<Response> {
  const { csvReportHeader, csvReportLine, jsonReportLine } = await import("@proveniq/rows");
  // Before the first byte: a missing import must still be able to answer 404.
  const record = await db.imports.get(id);
  const { input } = record;
  const encoder = new TextEncoder();
  async function* lines() {
    if (as === "csv") yield encoder.encode(csvReportHeader(input.format));
    for await (const report of db.imports.reports(record)) {
      if (as === "ndjson") yield encoder.encode(jsonReportLine(report));
      else if (report.refused) yield encoder.encode(csvReportLine(report, input.format));
    }
  }
  return new Response(ReadableStream.from(lines()), {
    headers: {
      "content-type": as === "csv" ? "text/csv; charset=utf-8" : "application/x-ndjson",
      "content-disposition": `attachment; filename="${id}-errors.${as}"`,
    },
  });
}

/** Stream what undoing an import left as it was. */
export async function undoRowReports(db: TenantDb, id: string): Promise<Response> {
  await db.imports.get(id);
  const encoder = new TextEncoder();
  async function* lines() {
    for await (const report of db.imports.undoReports(id))
      yield encoder.encode(`${JSON.stringify(report)}\n`);
  }
  return new Response(ReadableStream.from(lines()), { headers: { "content-type": "application/x-ndjson" } });
}
