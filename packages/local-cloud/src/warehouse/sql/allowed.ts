const words = (list: string): ReadonlySet<string> => new Set(list.trim().split(/\s+/));

/** Words of GoogleSQL that both engines read alike, wherever they stand. */
export const keywords = words(`
  SELECT DISTINCT ALL FROM WHERE GROUP BY HAVING QUALIFY ORDER ASC DESC NULLS FIRST LAST LIMIT OFFSET WITH AS UNION
  JOIN LEFT RIGHT FULL OUTER INNER CROSS ON USING AND OR NOT IN IS NULL TRUE FALSE BETWEEN LIKE EXISTS
  CASE WHEN THEN ELSE END OVER PARTITION ROWS UNBOUNDED PRECEDING FOLLOWING CURRENT ROW
`);

/** Functions that both engines compute alike, with what DuckDB calls them. */
export const functions: ReadonlyMap<string, string> = new Map([
  ["COUNT", "count"],
  ["COUNTIF", "count_if"],
  ["SUM", "sum"],
  ["MIN", "min"],
  ["MAX", "max"],
  ["AVG", "avg"],
  ["COALESCE", "coalesce"],
  ["IFNULL", "ifnull"],
  ["NULLIF", "nullif"],
  ["IF", "if"],
  ["ABS", "abs"],
  ["MOD", "mod"],
  ["ROUND", "google_round"],
  ["SAFE_DIVIDE", "google_safe_divide"],
  ["LOWER", "lower"],
  ["UPPER", "upper"],
  ["SQRT", "sqrt"],
  ["STARTS_WITH", "starts_with"],
  ["ROW_NUMBER", "row_number"],
  ["RANK", "rank"],
  ["DENSE_RANK", "dense_rank"],
  ["LAG", "lag"],
  ["LEAD", "lead"],
]);

/** Two of them differ, and are defined the way BigQuery computes them. */
export const macros = [
  "CREATE OR REPLACE MACRO google_round(x) AS round(CAST(x AS DOUBLE))",
  "CREATE OR REPLACE MACRO google_safe_divide(a, b) AS CASE WHEN b = 0 THEN NULL ELSE CAST(a AS DOUBLE) / CAST(b AS DOUBLE) END",
];

/** Reserved or meaningful words of GoogleSQL that are not allowed here: they must not be taken for a column's name. */
export const refused = words(`
  ALTER ANY ARRAY ARRAY_AGG ASSERT_ROWS_MODIFIED AT BEGIN CALL CAST COLLATE COMMIT CONTAINS CREATE CUBE CURRENT_DATE
  CURRENT_TIMESTAMP DECLARE DEFAULT DEFINE DELETE DROP ENUM ESCAPE EXCEPT EXCLUDE EXECUTE EXPORT EXTRACT FETCH FOR GRANT
  GROUPING GROUPS HASH IGNORE INSERT INTERSECT INTERVAL INTO LATERAL LOOKUP MERGE NATURAL NEW NO OF PIVOT PROTO RANGE
  RECURSIVE REPLACE RESPECT REVOKE ROLLUP SAFE_CAST SET SOME STRUCT TABLESAMPLE TO TREAT TRUNCATE UNNEST UNPIVOT UPDATE
  WINDOW WITHIN
`);

/** Places of DuckDB that no query may name. */
export const hiddenSchemas = words("catalog information_schema main pg_catalog system temp");
