import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { localPorts, maxCells, maxPortBase } from "./ports.ts";

describe("the ports of a local fleet", () => {
  it("are the documented ones by default", () => {
    const ports = localPorts(8080);
    expect([ports.router, ports.central.emulator, ports.central.relay]).toEqual([8080, 8200, 8300]);
    expect(ports.cell(0)).toEqual({
      api: 8101,
      emulator: 8201,
      relay: 8301,
      bulk: 8401,
      sink: 8501,
      beside: { api: 8601, bulk: 8701 },
    });
    expect(ports.cell(2)).toEqual({
      api: 8121,
      emulator: 8221,
      relay: 8321,
      bulk: 8421,
      sink: 8521,
      beside: { api: 8621, bulk: 8721 },
    });
  });

  it("never meet, however many cells run, and stay below those that the system gives out", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1024, max: maxPortBase }), (base) => {
        const ports = localPorts(base);
        const cells = Array.from({ length: maxCells }, (_, n) => {
          const { beside, ...cell } = ports.cell(n);
          return [...Object.values(cell), ...Object.values(beside)];
        });
        const { router, control, issuer, metrics, central, warehouse } = ports;
        const single = [
          router,
          control,
          issuer,
          metrics,
          central.emulator,
          central.relay,
          warehouse.rest,
          warehouse.grpc,
        ];
        const all = [...single, ...cells.flat()];
        expect(new Set(all).size).toBe(all.length);
        expect(Math.max(...all)).toBeLessThan(32_768);
      }),
    );
  });

  it("are refused where they could not work", () => {
    for (const base of [0, 80, 1023, 32_001, 65_536, 8080.5, Number.NaN]) {
      expect(() => localPorts(base)).toThrow("port base");
    }
    expect(() => localPorts(8080).cell(maxCells)).toThrow("at most 90 cells");
    expect(() => localPorts(8080).cell(-1)).toThrow("at most 90 cells");
  });
});
