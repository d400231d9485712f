import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { LocalConfig } from "../config.ts";
import { findEmulatorJar, newestCached } from "./jar.ts";
import { findJava, javaMajor } from "./java.ts";

let folder: string;
let config: LocalConfig;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "find-"));
  const bin = join(folder, "bin");
  await mkdir(bin);
  const none = { emulatorJar: undefined, javaHome: undefined, gcloudRoot: undefined };
  config = { ...none, path: [bin], home: join(folder, "home"), inherited: {} };
});

afterEach(async () => rm(folder, { recursive: true, force: true }));

async function put(file: string, text = "", mode = 0o644): Promise<string> {
  const path = join(folder, file);
  await mkdir(join(path, ".."), { recursive: true });
  await writeFile(path, text);
  await chmod(path, mode);
  return path;
}

const inSdk = "platform/cloud-firestore-emulator/cloud-firestore-emulator.jar";
const cache = "home/.cache/firebase/emulators";

describe("the emulator's jar", () => {
  it("is the one named by hand, before all others", async () => {
    await put(`${cache}/cloud-firestore-emulator-v1.19.8.jar`);
    const emulatorJar = await put("mine.jar");
    expect(await findEmulatorJar({ ...config, emulatorJar })).toEqual({
      file: emulatorJar,
      source: "FIRESTORE_EMULATOR_JAR",
    });
  });

  it("is never passed over in silence when named by hand but missing", async () => {
    const emulatorJar = join(folder, "no.jar");
    await expect(findEmulatorJar({ ...config, emulatorJar })).rejects.toThrow("which does not exist");
  });

  it("is in the SDK that the gcloud launcher on PATH leads to", async () => {
    await put(`${cache}/cloud-firestore-emulator-v1.19.8.jar`);
    const launcher = await put("sdk/bin/gcloud", "#!/bin/sh\n", 0o755);
    await symlink(launcher, join(folder, "bin", "gcloud"));
    const file = await put(`sdk/${inSdk}`);
    expect(await findEmulatorJar(config)).toEqual({ file, source: "gcloud" });
  });

  it("is else the newest in the Firebase CLI's cache", async () => {
    await put(`${cache}/cloud-firestore-emulator-v1.9.9.jar`);
    const file = await put(`${cache}/cloud-firestore-emulator-v1.19.8.jar`);
    expect(await findEmulatorJar(config)).toEqual({ file, source: "firebase" });
    expect(newestCached(["ui-v1.11.8", "cloud-firestore-emulator-v2.jar"])).toBeUndefined();
  });

  it("may be nowhere", async () => {
    expect(await findEmulatorJar(config)).toBeUndefined();
  });
});

describe("Java", () => {
  it.each([
    ['openjdk version "17.0.15" 2025-04-15', 17],
    ['java version "1.8.0_402"', 8],
    ['openjdk version "25" 2025-09-16', 25],
    ["command not found", undefined],
  ])("%s is version %s", (text, major) => {
    expect(javaMajor(text)).toBe(major);
  });

  const java = (version: string) => `#!/bin/sh\necho 'openjdk version "${version}"' >&2\n`;

  it("is taken from JAVA_HOME before PATH", async () => {
    await put("bin/java", java("1.8.0_402"), 0o755);
    await put("jdk/bin/java", java("21.0.2"), 0o755);
    expect(await findJava({ ...config, javaHome: join(folder, "jdk") })).toMatchObject({ major: 21 });
  });

  it("is refused when too old, absent or broken, with what to install", async () => {
    await expect(findJava(config)).rejects.toThrow("none was found. Install a Java runtime, version 11");
    await put("bin/java", java("1.8.0_402"), 0o755);
    await expect(findJava(config)).rejects.toThrow("is Java 8. Install");
    await put("bin/java", "#!/bin/sh\nexit 3\n", 0o755);
    await expect(findJava(config)).rejects.toThrow("does not run. Install");
  });
});
