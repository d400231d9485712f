import { z } from "zod";
import type { Planned } from "../terraform.ts";
import { resources } from "./policy.ts";

const database = z.object({
  name: z.string(),
  location_id: z.string(),
  point_in_time_recovery_enablement: z.string().nullable(),
  delete_protection_state: z.string().nullable(),
  deletion_policy: z.string().nullable(),
});
const schedule = z.object({ database: z.string(), retention: z.string() });

export const databases = (plan: readonly Planned[]) => resources(plan, "google_firestore_database", database);

/** Databases that cannot be read as they were an hour ago. */
export const withoutRecovery = (plan: readonly Planned[]): string[] =>
  databases(plan)
    .filter(({ values }) => values.point_in_time_recovery_enablement !== "POINT_IN_TIME_RECOVERY_ENABLED")
    .map(({ values }) => `database ${values.name} has none`);

/** Databases that a plan could take away. */
export const deletable = (plan: readonly Planned[]): string[] =>
  databases(plan)
    .filter(
      ({ values }) =>
        values.delete_protection_state !== "DELETE_PROTECTION_ENABLED" ||
        values.deletion_policy !== "ABANDON",
    )
    .map(({ values }) => `database ${values.name} can be deleted`);

/** Those of these databases that have fewer schedules, or one whose backups are gone within 30 days. */
export function withoutBackups(
  plan: readonly Planned[],
  ids: readonly string[],
  schedules: number,
): string[] {
  const kept = resources(plan, "google_firestore_backup_schedule", schedule);
  return ids.flatMap((id) => {
    const days = kept
      .filter(({ values }) => values.database === id)
      .map(({ values }) => Number.parseInt(values.retention, 10) / 86_400);
    return days.length >= schedules && Math.min(...days) >= 30
      ? []
      : [`database ${id} keeps ${days.join(", ") || "no"} days`];
  });
}
