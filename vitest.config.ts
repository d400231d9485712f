import { defineConfig } from "vitest/config";

/** Four projects: pure logic; what needs Firestore (one emulator for all); Terraform's plans; the whole fleet from outside. */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: ["packages/*/src/**/*.test.ts", "apps/*/src/**/*.test.ts", "tests/repo/**/*.test.ts"],
          exclude: ["**/*.emulator.test.ts", "**/node_modules/**"],
          // Some read whole books; a machine that does other things too needs longer than the usual five seconds.
          testTimeout: 20_000,
        },
      },
      {
        test: {
          name: "emulator",
          include: ["{packages,apps}/*/src/**/*.emulator.test.ts", "tests/compat/*.emulator.test.ts"],
          globalSetup: ["tests/setup/emulator.ts"],
          // Writers that contend on purpose wait for one another in the emulator, and a busy machine makes that long: one more try
          // tells it from a fault.
          retry: 1,
          testTimeout: 30_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: "infra",
          include: ["tests/infra/**/*.test.ts"],
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: "fleet",
          include: ["tests/{fleet,attacks,faults}/**/*.test.ts"],
          globalSetup: ["tests/setup/fleet.ts"],
          fileParallelism: false,
          // Real processes die here at moments that chance picks, on machines that do other things too: one more try tells a
          // slow moment from a fault.
          retry: 1,
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
