/** Where a command writes. Tests pass their own. */
export interface Output {
  out(text: string): void;
  err(text: string): void;
}

export const terminal: Output = {
  out: (text) => void process.stdout.write(`${text}\n`),
  err: (text) => void process.stderr.write(`${text}\n`),
};

/** Print a result: as JSON when that was asked for, else as the text made for people. */
export function report(output: Output, json: boolean | undefined, value: unknown, text: () => string): void {
  output.out(json === true ? JSON.stringify(value, null, 2) : text());
}
