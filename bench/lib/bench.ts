/** What `bench/NAME/main.ts` exports. */
export interface Bench {
  /** One line for the list of benchmarks. */
  description: string;
  /** Run it; says on the way what it does and gives its figures, units in their names. */
  default: (args: readonly string[]) => Promise<Record<string, number>>;
}

/** True for a module of that shape. */
export function isBench(module: object): module is Bench {
  return (
    "description" in module &&
    typeof module.description === "string" &&
    "default" in module &&
    typeof module.default === "function"
  );
}
