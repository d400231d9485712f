/** Columns as wide as their widest cell, two spaces between them, no space at the end of a line. */
export function table(rows: readonly (readonly string[])[], indent = ""): string {
  const columns = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, n) =>
    Math.max(...rows.map((row) => row[n]?.length ?? 0)),
  );
  return rows
    .map((row) => {
      const cells = row.map((cell, n) => cell + " ".repeat((widths[n] ?? 0) - cell.length));
      return (indent + cells.join("  ")).trimEnd();
    })
    .join("\n");
}
