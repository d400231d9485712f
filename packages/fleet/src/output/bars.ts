/** A bar for a share of the largest value, in eighths of a character; at least a sliver for anything above nothing. */
export function bar(value: number, largest: number, width = 24): string {
  if (value <= 0 || largest <= 0) return "";
  const eighths = Math.max(1, Math.round((Math.min(value, largest) / largest) * width * 8));
  return "█".repeat(Math.floor(eighths / 8)) + " ▏▎▍▌▋▊▉".charAt(eighths % 8).trim();
}

/** A whole number with thin groups of three, such as 1 234 567. */
export function grouped(value: number): string {
  return String(Math.round(value)).replace(/\B(?=(\d{3})+(?!\d))/g, " ");
}
