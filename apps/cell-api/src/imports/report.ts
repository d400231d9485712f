import type { TenantDb } from "@proveniq/db/tenant";

/** Stream an import's row report: as CSV the refused rows only, as NDJSON all. */
export async function importRowReports(db: TenantDb, id: string, as: "csv" | "ndjson"): Promise<Response> {
  const { csvReportHeader, csvReportLine, jsonReportLine } = await import("@proveniq/rows");
  // Before the first byte: a missing import must still be able to answer 404.
  const { input } = await db.imports.get(id);
  const encoder = new TextEncoder();
  async function* lines() {
    if (as === "csv") yield encoder.encode(csvReportHeader(input.format));
    for await (const report of db.imports.reports(id)) {
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
