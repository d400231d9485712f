import type { Dependency } from "./deps.ts";
import type { MarketValues } from "./valuation/valued.ts";

/**
 * The replica of market values, for /ready: of little use when it has not equalled the centre for too long. Never a
 * reason to send traffic elsewhere: the values it has are served whatever their age.
 */
export function marketDependency(market: Pick<MarketValues, "status">, maxLagSeconds: number): Dependency {
  return {
    name: "market-values",
    optional: true,
    async check() {
      const { sequence, ageSeconds } = await market.status();
      if (ageSeconds !== null && ageSeconds <= maxLagSeconds) return undefined;
      const age = ageSeconds === null ? "never" : `${ageSeconds} s ago`;
      return {
        degraded: `at sequence ${sequence}, last equal to the centre ${age}; allowed are ${maxLagSeconds} s`,
      };
    },
  };
}
