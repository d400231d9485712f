/** Wraps text in a terminal's colour, or leaves it alone. */
export type Paint = (text: string) => string;

export interface Palette {
  bold: Paint;
  dim: Paint;
  red: Paint;
  yellow: Paint;
  green: Paint;
  /** A colour that is always the same for the same name. */
  of(name: string): Paint;
}

const named = [36, 33, 35, 32, 34, 96, 93, 95, 92, 94];

/** The colours of a terminal; without `on`, none at all. */
export function palette(on: boolean): Palette {
  const code =
    (open: number, close: number): Paint =>
    (text) =>
      on ? `\u001B[${open}m${text}\u001B[${close}m` : text;
  return {
    bold: code(1, 22),
    dim: code(2, 22),
    red: code(31, 39),
    yellow: code(33, 39),
    green: code(32, 39),
    of(name) {
      let sum = 0;
      for (const char of name) sum = (sum * 31 + (char.codePointAt(0) ?? 0)) % 65_521;
      return code(named[sum % named.length] ?? 36, 39);
    },
  };
}
