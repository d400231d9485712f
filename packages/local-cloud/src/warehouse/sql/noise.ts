import { randomBytes } from "node:crypto";
import type { Noise } from "./privacy.ts";

/** Above 0, up to 1, with 53 bits that cannot be foretold. */
function uniform(): number {
  return (Number(randomBytes(8).readBigUInt64BE() >> 11n) + 1) / 2 ** 53;
}

/** Whole numbers with P(n) falling by e^(-1/scale) a step on either side of 0: Laplace's noise for counts. */
export function laplace(scale: number): number {
  const geometric = () => Math.floor(-Math.log(uniform()) * scale);
  return geometric() - geometric();
}

/** Rows of a query with differential privacy, whose last value counts units: small groups dropped, the rest with noise. */
export function addNoise<T>(rows: readonly T[][], { scales, units }: Noise): (T | bigint)[][] {
  return rows
    .filter((row) => Number(row.at(-1)) + laplace(units.scale) >= units.threshold)
    .map((row) =>
      scales.map((scale, n) => {
        const value = row[n] as T;
        return scale === 0 ? value : BigInt(Number(value) + laplace(scale));
      }),
    );
}
