/** An error as BigQuery's REST interface tells it. */
export class WarehouseFault extends Error {
  override name = "WarehouseFault";
  readonly status: number;
  readonly reason: string;

  constructor(status: number, reason: string, message: string) {
    super(message);
    this.status = status;
    this.reason = reason;
  }
}

export const notFound = (what: string): WarehouseFault =>
  new WarehouseFault(404, "notFound", `Not found: ${what}`);

export const invalid = (message: string): WarehouseFault => new WarehouseFault(400, "invalid", message);

/** A query that BigQuery may well answer and this stand-in does not. */
export const unsupportedSql = (what: string): WarehouseFault =>
  new WarehouseFault(
    400,
    "invalidQuery",
    `The local warehouse does not answer this query: ${what}. It reads the part of GoogleSQL that DuckDB reads alike (docs/analytics.md lists it) and refuses the rest rather than answer wrongly.`,
  );
