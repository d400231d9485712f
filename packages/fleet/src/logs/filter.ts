/** Services of a cell that write a log. */
export const services = ["api", "bulk", "replicate", "sink", "database"] as const;
export type Service = (typeof services)[number];

/** Levels as one asks for them, and as Cloud Logging names them. */
export const levels = { debug: "DEBUG", info: "INFO", warn: "WARNING", error: "ERROR" } as const;
export type Level = keyof typeof levels;

const ranks = ["DEFAULT", "DEBUG", "INFO", "NOTICE", "WARNING", "ERROR", "CRITICAL", "ALERT", "EMERGENCY"];

export interface LogFilter {
  /** Milliseconds since 1970. */
  since: number | undefined;
  level: Level | undefined;
  grep: string | undefined;
}

/** Whether a line of a log is asked for. What has no time or level, such as a stack, is shown: it may be what matters. */
export function passes(line: string, { since, level, grep }: LogFilter): boolean {
  if (grep !== undefined && !line.includes(grep)) return false;
  const record = parse(line);
  if (since !== undefined) {
    const time = record["time"];
    const at = typeof time === "string" ? Date.parse(time) : typeof time === "number" ? time : Number.NaN;
    if (at < since) return false;
  }
  if (level !== undefined) {
    const severity = ranks.indexOf(
      String(record["severity"] ?? record["level"])
        .toUpperCase()
        .replace(/^WARN$/, "WARNING"),
    );
    if (severity >= 0 && severity < ranks.indexOf(levels[level])) return false;
  }
  return true;
}

function parse(line: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}

/** The command that reads logs in the cloud: of Cloud Run services of one project, as functions are too. */
export function gcloudCommand(
  serviceNames: readonly string[],
  project: string,
  filter: Omit<LogFilter, "since"> & { seconds: number | undefined },
): string {
  const { level, grep, seconds } = filter;
  const names = serviceNames.map((name) => `"${name}"`);
  const parts = [
    'resource.type="cloud_run_revision"',
    `resource.labels.service_name=(${names.join(" OR ")})`,
    ...(level === undefined ? [] : [`severity>=${levels[level]}`]),
    ...(grep === undefined ? [] : [`SEARCH(${JSON.stringify(grep)})`]),
  ];
  return [
    "gcloud logging read",
    quote(parts.join(" AND ")),
    `--project=${project}`,
    `--freshness=${seconds === undefined ? "1h" : `${seconds}s`}`,
    "--order=asc --format=json",
  ].join(" ");
}

/** For a POSIX shell. */
function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
