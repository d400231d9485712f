import { readFile } from "node:fs/promises";
import { text } from "node:stream/consumers";
import { CommandError, exitCodes } from "./errors.ts";

const loopback = /^(localhost|.+\.localhost|127(\.\d{1,3}){3}|\[::1\])$/;

/** A URL that keys may be sent to: over TLS, or on this machine. Throws CommandError, without the URL's own credentials. */
export function keyUrl(given: string): string {
  const url = URL.parse(given);
  if (url === null || (url.protocol !== "https:" && url.protocol !== "http:"))
    throw new CommandError("--url must be an https URL.", exitCodes.usage);
  if (url.username !== "" || url.password !== "")
    throw new CommandError("--url must hold no user and password.", exitCodes.usage);
  if (url.protocol === "http:" && !loopback.test(url.hostname)) {
    const secure = `https://${url.host}`;
    throw new CommandError(
      `The API key would travel to ${url.host} for everybody to read. Use ${secure}; plain http is for this machine alone.`,
      exitCodes.usage,
    );
  }
  return given;
}

export interface KeyOptions {
  key?: string;
  keyFile?: string;
}

/**
 * The API key, wherever it was given: `--key-file` (`-` is standard input), the environment, or `--key`, about which `warn` is
 * told. Undefined where it was given nowhere.
 */
export async function readKey(
  { key, keyFile }: KeyOptions,
  fromEnvironment: string | undefined,
  warn: (sentence: string) => void,
): Promise<string | undefined> {
  if (key !== undefined && keyFile !== undefined)
    throw new CommandError("--key and --key-file exclude each other.", exitCodes.usage);
  if (keyFile !== undefined) {
    const read = (
      await (keyFile === "-" ? text(process.stdin) : readFile(keyFile, "utf8").catch(unreadable))
    ).trim();
    if (read === "" || /\s/.test(read))
      throw new CommandError(`${keyFile === "-" ? "Standard input" : keyFile} does not hold one API key.`);
    return read;
  }
  if (key === undefined) return fromEnvironment;
  warn(
    "--key is seen by everybody who can list this machine's processes: use PROVENIQ_KEY, or --key-file (- for standard input).",
  );
  return key;
}

function unreadable(error: NodeJS.ErrnoException): never {
  throw new CommandError(`The key file cannot be read (${error.code ?? "unknown"}).`);
}
