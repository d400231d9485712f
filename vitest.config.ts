import { defineConfig } from "vitest/config";

/** One process for many files: loading the same libraries for each was half of the work. */
const isolate = false;

/** Tests that start a fleet or a cell of their own. */
const apart = [
  "tests/fleet/{lifecycle,deploys/deploys}.test.ts",
  "tests/faults/{import,imports-hunt}.test.ts",
];

/** What both projects of whole processes need. */
const processes = {
  fileParallelism: false,
  // Real processes die here at moments that chance picks, on machines that do other things too: one more try tells a
  // slow moment from a fault.
  retry: 1,
  testTimeout: 60_000,
  hookTimeout: 120_000,
};

/**
 * Five projects: pure logic; what needs Firestore (one emulator for all); Terraform's plans; the whole fleet from outside;
 * fleets and cells that a test starts for itself.
 */
export default defineConfig({
  test: {
    // A read that waits to be tried again when its client is closed: Firestore's library lets go of that promise (`requestStream` in
    // its index.js), so that nobody can catch it. Tests close clients of databases that they cut off.
    onUnhandledError: (error) => error.message !== "The client has already been terminated",
    projects: [
      {
        test: {
          name: "unit",
          include: [
            "packages/*/src/**/*.test.ts",
            "apps/*/src/**/*.test.ts",
            "tests/repo/**/*.test.ts",
            "tests/hunt/**/*.test.ts",
          ],
          exclude: ["**/*.emulator.test.ts", "**/node_modules/**"],
          isolate,
          // Some read whole books; a machine that does other things too needs longer than the usual five seconds.
          testTimeout: 20_000,
          // Some start processes and wait for them: see below for what one more try is good for.
          retry: 1,
        },
      },
      {
        test: {
          name: "emulator",
          include: ["{packages,apps}/*/src/**/*.emulator.test.ts", "tests/{compat,cost}/*.emulator.test.ts"],
          isolate,
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
          // The provider is 130 MB, and each plan starts it: a busy machine takes long.
          testTimeout: 240_000,
          hookTimeout: 240_000,
        },
      },
      {
        test: {
          name: "fleet",
          include: ["tests/{fleet,attacks,faults}/**/*.test.ts"],
          exclude: [...apart, "**/node_modules/**"],
          globalSetup: ["tests/setup/fleet.ts"],
          ...processes,
        },
      },
      { test: { name: "apart", include: apart, ...processes } },
    ],
  },
});
