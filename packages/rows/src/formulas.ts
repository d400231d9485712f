const formula = /^'*[=+\-@\t\r]/u;
const number = /^[+-]?\d[\d.,' ]*%?$/u;

/**
 * A spreadsheet runs a cell that begins with = + - @ as a formula. An apostrophe in front makes it a text; plain
 * numbers are left alone. `restored` undoes it, so that a mended report means what the file meant.
 */
export function neutralised(cell: string): string {
  return formula.test(cell) && !number.test(cell) ? `'${cell}` : cell;
}

export function restored(cell: string): string {
  return cell.startsWith("'") && formula.test(cell.slice(1)) && !number.test(cell.slice(1))
    ? cell.slice(1)
    : cell;
}
