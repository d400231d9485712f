import { defineConfig } from "vitest/config";

/** The long hunts: `npm run test:deep`. */
export default defineConfig({
  test: {
    include: ["tests/**/*.deep.ts"],
    fileParallelism: false,
    testTimeout: 1_200_000,
    hookTimeout: 240_000,
  },
});
