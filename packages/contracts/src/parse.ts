import type { z } from "zod";
import { messageOf } from "./message-of.ts";
import "./plain-errors.ts";

/** One fault of an input: where (a JSON pointer) and what. Never repeats the value, which may be personal. */
export interface Fault {
  path: string;
  message: string;
}

/** A path as a JSON pointer. */
export function pointerOf(path: readonly PropertyKey[]): string {
  return path.map((p) => `/${String(p).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
}

/** zod's issues as pointers and sentences, unknown keys named one by one. */
export function faultsOf(error: z.ZodError): Fault[] {
  return error.issues.flatMap((issue) => {
    if (issue.code === "unrecognized_keys") {
      return issue.keys.map((key) => ({
        path: pointerOf([...issue.path, key]),
        message: "is not a known field",
      }));
    }
    return [{ path: pointerOf(issue.path), message: issue.message }];
  });
}

/** Parse what a person wrote in a file, or throw one Error that names the file and every fault in it. */
export function parseFile<T>(schema: z.ZodType<T>, file: string, text: string): T {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new Error(`${file} is not valid JSON: ${messageOf(cause)}`, {
      cause,
    });
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const lines = faultsOf(parsed.error).map((f) => `  ${f.path === "" ? "/" : f.path}: ${f.message}`);
  throw new Error(`${file} is not valid:\n${lines.join("\n")}`);
}
