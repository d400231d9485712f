import { styleText } from "node:util";

export function heading(text: string): void {
  console.log(`\n${styleText("bold", text)}`);
}

export function say(text: string): void {
  console.log(`  ${text}`);
}

/** Say what was shown; end the demo when it does not hold. */
export function check(holds: boolean, text: string): void {
  if (!holds) throw new Error(`This does not hold: ${text}`);
  say(`${styleText("green", "✔")} ${text}`);
}

/** Columns as wide as their widest cell. */
export function table(head: string[], rows: string[][]): void {
  const widths = head.map((h, n) => Math.max(h.length, ...rows.map((r) => (r[n] ?? "").length)));
  const line = (cells: string[]) => cells.map((c, n) => c.padEnd(widths[n] ?? 0)).join("  ");
  say(styleText("dim", line(head)));
  for (const row of rows) say(line(row));
}
