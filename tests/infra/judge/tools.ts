import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../..", import.meta.url));

function works(program: string, args: readonly string[]): boolean {
  try {
    execFileSync(program, args, { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/** A folder that a variable names, relative to the repository, or that is beside it; undefined where there is none. */
function folderOf(variable: string, beside: string): string | undefined {
  const named = process.env[variable];
  if (named !== undefined && named !== "") {
    const folder = resolve(root, named);
    if (!existsSync(folder)) throw new Error(`${variable} names ${folder}, and there is nothing there`);
    return folder;
  }
  const folder = resolve(root, "../shared/tools", beside);
  return existsSync(folder) ? folder : undefined;
}

const provider = "terraform-provider-google";

function findProvider(): string | undefined {
  const folder = folderOf("TERRAFORM_GOOGLE_PROVIDER", "google-provider");
  if (folder === undefined) return undefined;
  if (existsSync(join(folder, provider))) return folder;
  const unpack = join(folder, "unpack");
  if (existsSync(unpack)) return execFileSync(unpack, { encoding: "utf8" }).trim();
  throw new Error(`there is neither ${provider} nor a command unpack in ${folder}`);
}

/** The folder with Google's provider for Terraform, as a binary; undefined where there is none. */
export const providerFolder = findProvider();

/** The folder of a stand-in for Google's APIs, which takes applies; undefined where there is none. */
export const controlPlane = folderOf("GOOGLE_CONTROL_PLANE", "google-control-plane");

export const hasGo = works("go", ["version"]);
