import { z } from "zod";

/**
 * What each kind of fault is called, for people who have never heard of zod. A sentence without its subject, which is the fault's
 * path: "/title must not be empty". Never repeats the value. What a schema says itself comes first.
 */
function plainMessage(issue: z.core.$ZodRawIssue): string {
  switch (issue.code) {
    case "invalid_type":
      return issue.input === undefined ? "is missing" : `must be ${kinds[issue.expected] ?? issue.expected}`;
    case "too_small": {
      if (issue.minimum === 1 && issue.exact !== true && units[issue.origin] !== undefined) {
        return "must not be empty";
      }
      const least = issue.inclusive === false ? "more than" : "at least";
      return bound(issue.origin, issue.exact === true ? "exactly" : least, issue.minimum);
    }
    case "too_big": {
      const most = issue.inclusive === false ? "less than" : "at most";
      return bound(issue.origin, issue.exact === true ? "exactly" : most, issue.maximum);
    }
    case "invalid_value":
      return `must be ${issue.values.length === 1 ? "" : "one of "}${issue.values.map(String).join(", ")}`;
    case "invalid_format":
      return `must ${format(issue)}`;
    case "not_multiple_of":
      return `must be a multiple of ${issue.divisor}`;
    case "unrecognized_keys":
      return `has fields that are not known: ${issue.keys.join(", ")}`;
    case "invalid_key":
      return `has a name that ${issue.issues[0]?.message ?? "is not allowed"}`;
    case "invalid_union":
      return Array.isArray(issue.options)
        ? `must be one of ${issue.options.map(String).join(", ")}`
        : "is of none of the kinds that are allowed here";
    case "invalid_element":
      return "holds something that is not valid";
    case "custom":
    default:
      return "is not valid";
  }
}

const kinds: Record<string, string> = {
  string: "text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  object: "an object",
  record: "an object",
  array: "a list",
  tuple: "a list",
};

/** What has a size, and what it is counted in. */
const units: Record<string, [one: string, more: string]> = {
  string: ["character", "characters"],
  array: ["entry", "entries"],
  set: ["entry", "entries"],
  map: ["entry", "entries"],
};

function bound(origin: string, how: string, limit: number | bigint): string {
  const unit = units[origin];
  if (unit === undefined) return `must be ${how} ${limit}`;
  return `must have ${how} ${limit} ${limit === 1 ? unit[0] : unit[1]}`;
}

type Format = { readonly format: string; readonly [detail: string]: unknown };

const formats: Record<string, string> = {
  date: "be a day such as 2024-05-17",
  datetime: "be a time such as 2024-05-17T09:30:00Z",
  email: "be an e-mail address",
  json_string: "be JSON",
  url: "be a URL",
  uuid: "be a UUID",
};

function format(of: Format): string {
  if (of.format === "starts_with") return `begin with ${String(of["prefix"])}`;
  if (of.format === "ends_with") return `end with ${String(of["suffix"])}`;
  if (of.format === "includes") return `contain ${String(of["includes"])}`;
  if (of.format === "regex") return `match ${String(of["pattern"])}`;
  return formats[of.format] ?? `be a valid ${of.format}`;
}

z.config({ customError: plainMessage });
