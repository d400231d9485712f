import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { importJob } from "@proveniq/contracts";
import type { FleetState } from "@proveniq/local-cloud/fleet";
import { z } from "zod";
import { check, heading, say, table } from "./story.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const result = z.object({ import: importJob, rowsPerSecond: z.number() });

/**
 * A carrier brings its whole book and brings it again with a handful changed; an EU partner brings a museum's export. All
 * through `npx fleet import`, as they would. `rows`: only so many diamonds.
 */
export async function importBooks(fleet: FleetState, rows = Number.POSITIVE_INFINITY): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "proveniq-demo-"));
  try {
    heading("A carrier brings its whole book, and again the next night");
    const diamonds = await readFile(join(root, "examples/data/diamonds.csv"), "utf8");
    const lines = diamonds
      .trimEnd()
      .split("\n")
      .slice(0, rows + 1);
    const stones = lines.length - 1;
    const book = join(folder, "book.csv");
    await writeFile(book, `${lines.join("\n")}\n`);
    const first = await importFile(fleet, "carrier-a", book, "diamonds.json");
    check(
      first.import.counts.rows === stones && first.import.counts.failed === 0,
      `${stones.toLocaleString("en-US")} diamonds at ${first.rowsPerSecond.toLocaleString("en-US")} rows/s: ${first.import.summary}`,
    );

    const night = lines.map((line, n) => (n > 0 && n % 7_000 === 5 ? repriced(line) : line)).slice(0, -2);
    await writeFile(book, `${night.join("\n")}\n`);
    const changed = night.filter((line, n) => line !== lines[n]).length;
    const again = await importFile(fleet, "carrier-a", book, "diamonds.json");
    const { counts } = again.import;
    check(
      counts.changed === changed && counts.deleted === 2 && counts.unchanged === stones - changed - 2,
      `The next night, ${changed} repriced and two sold: ${again.import.summary}`,
    );

    heading("An EU partner brings a museum's export as it is");
    const works = join(folder, "artworks.csv");
    await copyFile(join(root, "examples/data/tate-artworks-sample.csv"), works);
    const tate = await importFile(fleet, "atelier-nord", works, "tate.json");
    check(tate.import.counts.failed === 0, `2,926 artworks: ${tate.import.summary}`);
    say(
      "Line breaks inside quotes, dates such as c.1795–6, empty cells: everything is in, dates as they were written.",
    );
    table(
      ["book", "rows/s"],
      [
        ["diamonds, new", first.rowsPerSecond.toLocaleString("en-US")],
        ["diamonds, hardly changed", again.rowsPerSecond.toLocaleString("en-US")],
        ["artworks", tate.rowsPerSecond.toLocaleString("en-US")],
      ],
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A line of the diamonds with another price. */
function repriced(line: string): string {
  const cells = line.split(",");
  cells[6] = String(Number(cells[6]) + 1);
  return cells.join(",");
}

/** Run `npx fleet import` as the tenant's partner would. The file is the whole of its source. */
async function importFile(fleet: FleetState, tenant: string, file: string, mapping: string) {
  const cli = join(root, "packages/fleet/bin/fleet.mjs");
  const args = [
    "import",
    file,
    "--tenant",
    tenant,
    "--map",
    join(root, "examples/import", mapping),
    "--full",
    "--json",
  ];
  const where = ["--state-dir", dirname(fleet.directoryFile)];
  const child = spawn(process.execPath, [cli, ...args, ...where], { stdio: ["ignore", "pipe", "pipe"] });
  const said = { out: "", err: "" };
  child.stdout.on("data", (text: Buffer) => {
    said.out += text.toString();
  });
  child.stderr.on("data", (text: Buffer) => {
    said.err += text.toString();
  });
  const [code] = (await once(child, "close")) as [number | null];
  if (code !== 0) throw new Error(`fleet import ended with ${code}: ${said.out}${said.err}`);
  return result.parse(JSON.parse(said.out));
}
