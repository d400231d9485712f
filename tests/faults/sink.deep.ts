import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { startEmulator } from "@proveniq/local-cloud/emulator";
import { expect, test } from "vitest";
import { freePort } from "../setup/ports.ts";
import { killAndCompare } from "./sink/scene.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

test("300,000 events arrive exactly once through 40 kills and 5 % of replies lost", async () => {
  process.env["METADATA_SERVER_DETECTION"] = "none";
  await promisify(execFile)(process.execPath, ["apps/cell-api/build.ts"], { cwd: root });
  const emulator = await startEmulator({ port: await freePort(), heapMb: 2_048 });
  try {
    const result = await killAndCompare({
      emulatorHost: emulator.host,
      project: "sink-faults",
      database: "sink-faults",
      events: 300_000,
      kills: 40,
      lostPercent: 5,
      everyMs: 2_000,
    });
    console.log(JSON.stringify(result));
    expect(result.committed).toBeGreaterThanOrEqual(300_000);
    expect(result).toMatchObject({
      arrived: result.committed,
      lost: 0,
      doubled: 0,
      unexplained: 0,
      waiting: 0,
    });
  } finally {
    await emulator.stop();
  }
});
