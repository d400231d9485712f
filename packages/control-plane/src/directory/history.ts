import type { Registry } from "@proveniq/db/control";
import { changesBetween, type DirectoryChange } from "./changes.ts";

/** One publication, as the audit and the kept directories tell it. */
export interface PublishedOnce {
  version: number;
  at: string;
  who: string;
  from: string;
  action: string;
  /** Where it was published to. */
  target: string;
  /** The version whose content a rollback brought back. */
  contentOf: number | null;
  /** Against the kept one before it; null when that, or this, is not kept any more. */
  changes: DirectoryChange[] | null;
}

/** The last publications, newest first. */
export async function directoryHistory(
  control: Pick<Registry, "audit" | "published" | "publishedVersions">,
  last: number,
): Promise<PublishedOnce[]> {
  const [records, versions] = await Promise.all([control.audit(), control.publishedVersions()]);
  const published = records
    .filter(({ action }) => action === "directory.publish" || action === "directory.rollback")
    .flatMap((record) => {
      const { version } = record.detail;
      return typeof version === "number" ? [{ ...record, version }] : [];
    })
    .toSorted((a, b) => b.version - a.version);
  const oldest = published.at(-1)?.version;
  return Promise.all(
    published.slice(0, last).map(async ({ version, at, who, from, action, detail }) => {
      const n = versions.indexOf(version);
      const [now, before] = await Promise.all([
        n < 0 ? undefined : control.published(version),
        n < 1 ? undefined : control.published(versions[n - 1] ?? 0),
      ]);
      const { at: target, contentOf } = detail;
      return {
        version,
        at,
        who,
        from,
        action,
        target: String(target ?? ""),
        contentOf: typeof contentOf === "number" ? contentOf : null,
        changes:
          now === undefined || (before === undefined && version !== oldest)
            ? null
            : changesBetween(before, now),
      };
    }),
  );
}
