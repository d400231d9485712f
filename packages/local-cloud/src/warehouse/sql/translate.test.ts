import { expect, test } from "vitest";
import { WarehouseFault } from "../faults.ts";
import { translate } from "./translate.ts";

const project = "proveniq-central";
const read = (sql: string) => translate(sql, { project });

test.each([
  ["SELECT day FROM `proveniq-central.raw_eu.events`", 'SELECT "day" FROM "raw_eu"."events"'],
  ["SELECT e.day FROM raw_eu.events AS e;", 'SELECT "e" . "day" FROM "raw_eu"."events" AS "e"'],
  ["SELECT \"it\", 'is' FROM `raw_eu`.events", "SELECT 'it' , 'is' FROM \"raw_eu\".\"events\""],
  ["SELECT COUNTIF(x = 1) -- why\nFROM d.t", 'SELECT count_if ( "x" = 1 ) FROM "d"."t"'],
  ["SELECT 0.75 * n FROM d.t", 'SELECT CAST(0.75 AS DOUBLE) * "n" FROM "d"."t"'],
  [
    "SELECT x FROM d.t WHERE day = DATE '2026-11-23'",
    'SELECT "x" FROM "d"."t" WHERE "day" = DATE \'2026-11-23\'',
  ],
  ["SELECT day FROM d.t WHERE day >= @since", 'SELECT "day" FROM "d"."t" WHERE "day" >= $since'],
  ["WITH a AS (SELECT 1 AS n) SELECT n FROM a", 'WITH "a" AS ( SELECT 1 AS "n" ) SELECT "n" FROM "a"'],
  ["SELECT a.left FROM d.t AS a", 'SELECT "a" . "left" FROM "d"."t" AS "a"'],
])("%s", (sql, wanted) => {
  expect(read(sql).sql).toBe(wanted);
});

test("says which tables a query reads, common tables aside", () => {
  const { tables } = read(
    "WITH a AS (SELECT x FROM d.one JOIN `d.two` USING (x)), b AS (SELECT x FROM a) SELECT x FROM b JOIN e.three USING (x)",
  );
  expect(tables).toEqual([
    { dataset: "d", table: "one" },
    { dataset: "d", table: "two" },
    { dataset: "e", table: "three" },
  ]);
});

test.each([
  ["DELETE FROM d.t WHERE TRUE", /only SELECT/],
  ["SELECT 1; SELECT 2", /one statement/],
  ["SELECT a / b FROM d.t", /SAFE_DIVIDE/],
  ["SELECT TIMESTAMP_TRUNC(seen_at, DAY) FROM d.t", /TIMESTAMP_TRUNC/],
  ["SELECT CAST(x AS INT64) FROM d.t", /CAST/],
  ["SELECT x FROM d.t, UNNEST(y)", /comma/],
  ["SELECT x FROM d.t CROSS JOIN UNNEST(y)", /UNNEST/],
  ["SELECT * EXCEPT (x) FROM d.t", /EXCEPT/],
  ["SELECT x FROM d.t UNION SELECT x FROM d.t", /UNION ALL/],
  ["SELECT x[0] FROM d.t", /cannot read it/],
  ["SELECT r'x' FROM d.t", /./],
  ["SELECT 'a\\'b' FROM d.t", /cannot read it/],
  ["SELECT '''x''' FROM d.t", /cannot read it/],
  ["SELECT 0x1F FROM d.t", /cannot read it/],
  ["SELECT x::INT64 FROM d.t", /cannot read it/],
  ["SELECT x FROM t", /with its dataset/],
  ["SELECT x FROM `somebody-else.d.t`", /project/],
  ["SELECT x FROM catalog.entries", /not a dataset/],
  ["SELECT x FROM information_schema.tables", /not a dataset/],
  ["SELECT x FROM d.t WHERE y IN (SELECT y FROM pg_catalog.pg_class)", /not a dataset/],
  ["SELECT x FROM read_csv('/etc/passwd')", /dataset|list/],
  ["SELECT getenv('HOME') FROM d.t", /GETENV/],
  ["FROM d.t SELECT x", /only SELECT/],
  ["", /only SELECT/],
])("%s is refused with a reason", (sql, why) => {
  expect(() => read(sql)).toThrow(WarehouseFault);
  expect(() => read(sql)).toThrow(why);
});
