import { expect, test } from "vitest";
import { Store } from "../store/index.ts";
import { openScene } from "../testing.ts";
import { laplace } from "./noise.ts";
import { translate } from "./translate.ts";

const options = (more = "") => `OPTIONS (epsilon = 2, delta = 0.00001, privacy_unit_column = id${more})`;
const clause = (list: string, more = "") =>
  `SELECT WITH DIFFERENTIAL_PRIVACY ${options(more)} item, ${list} FROM d.t GROUP BY item`;
const count = "COUNT(*, contribution_bounds_per_group => (0, 1)) AS n";
const noiseOf = (sql: string) => translate(sql, { project: "p" }).noise;

test("epsilon is shared by the aggregates, the count that drops small groups, and the groups of a unit", () => {
  const one = noiseOf(clause(count));
  expect(one?.scales).toEqual([0, 1]);
  expect(one?.units.scale).toBe(1);
  expect(one?.units.threshold).toBeCloseTo(1 + Math.log(1 / 0.000_02), 6);
  const more = noiseOf(
    clause(`${count}, SUM(x, contribution_bounds_per_group => (-3, 2)) AS s`, ", max_groups_contributed = 2"),
  );
  expect(more?.scales).toEqual([0, 3, 9]);
});

test.each([
  [clause("COUNT(*) AS n"), /contribution_bounds_per_group/],
  [clause("SUM(x) AS n"), /contribution_bounds_per_group/],
  [clause("AVG(x, contribution_bounds_per_group => (0, 1)) AS n"), /COUNT/],
  [clause("COUNT(x, contribution_bounds_per_group => (0, 1)) AS n"), /COUNT\(\*/],
  [clause("SUM(x, contribution_bounds_per_row => (0, 1)) AS n"), /contribution_bounds_per_group/],
  [clause("SUM(x, contribution_bounds_per_group => (2, 1)) AS n"), /whole numbers/],
  [clause(count, ", k = 3"), /option k/],
  [clause(count, ", max_groups_contributed = NULL"), /must be a number/],
  [clause(count).replace("epsilon = 2", "epsilon = 0"), /epsilon/],
  [clause(count).replace("delta = 0.00001", "delta = 1"), /delta/],
  [clause(count).replace(", privacy_unit_column = id", ""), /privacy_unit_column/],
  [clause("other"), /neither grouped by/],
  [clause("item AS again"), /without an aggregate/],
  [`${clause(count)} HAVING n > 2`, /HAVING/],
  [`${clause(count)} ORDER BY item`, /ORDER/],
  [`SELECT item FROM (${clause(count)})`, /./],
])("%s is refused with a reason", (sql, why) => {
  expect(() => translate(sql, { project: "p" })).toThrow(why);
});

test("with noise taken away: one clamped value a unit and group, and of a unit as many groups as it may have", async () => {
  const store = await Store.open();
  await store.catalog.createDataset({ project: "p", id: "d", location: "EU", createdMs: 0 });
  const fields = [
    { name: "id", type: "STRING", mode: "REQUIRED" },
    { name: "item", type: "STRING", mode: "REQUIRED" },
    { name: "x", type: "INTEGER", mode: "REQUIRED" },
  ] as const;
  await store.catalog.createTable("p", { dataset: "d", id: "t", fields: [...fields], createdMs: 0 });
  const table = store.catalog.table("p", "d", "t");
  const rows = Array.from({ length: 100 }, (_, n) => [
    [`u${n}`, "pen", 5n],
    [`u${n}`, "pen", 5n],
    [`u${n}`, "ink", -9n],
  ]).flat();
  await store.append(table, [...rows, ["u0", "rare", 1n]]);
  const ask = (groups: number) =>
    store.query(
      "p",
      clause(
        `${count}, SUM(x, contribution_bounds_per_group => (-4, 7)) AS s`,
        `, max_groups_contributed = ${groups}`,
      ).replace("epsilon = 2", "epsilon = 100000000000000000000"),
    );
  const all = (await ask(3)).rows.toSorted(([a], [b]) => String(a).localeCompare(String(b)));
  expect(all).toEqual([
    ["ink", "100", "-400"],
    ["pen", "100", "700"],
    ["rare", "1", "1"],
  ]);
  const one = (await ask(1)).rows;
  expect(one.reduce((sum, [, n]) => sum + Number(n), 0)).toBe(100);
  await store.close();
});

test("a view may not have the clause: its noise would be lost", async () => {
  const { warehouse, bigquery } = await openScene();
  const query =
    "SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS (epsilon = 2, delta = 0.1, privacy_unit_column = mark) " +
    "COUNT(*, contribution_bounds_per_group => (0, 1)) AS n FROM raw_eu.people";
  const view = { query, useLegacySql: false };
  await expect(bigquery.dataset("raw_eu").createTable("noisy", { view })).rejects.toThrow(/a view with/);
  await warehouse.stop();
});

test("noise is Laplace's: as far from 0 as its scale says, as often above as below", () => {
  const draws = Array.from({ length: 20_000 }, () => laplace(3.5));
  const share = (holds: (n: number) => boolean) => draws.filter(holds).length / draws.length;
  expect(Math.abs(share((n) => n > 0) - share((n) => n < 0))).toBeLessThan(0.03);
  expect(Math.abs(draws.reduce((sum, n) => sum + Math.abs(n), 0) / draws.length - 3.5)).toBeLessThan(0.2);
  expect(share((n) => Math.abs(n) > 11)).toBeLessThan(0.05);
});
