import { z } from "zod";

/** Where a tenant's data may be. `global` means: no promise was made. */
export const residency = z.enum(["eu", "us", "global"]);
export type Residency = z.infer<typeof residency>;

/**
 * Google Cloud locations that a cell or a database may name, with the jurisdiction each lies in.
 * `other` is fine for a `global` cell only: London (europe-west2) and Zurich (europe-west6) are in Europe
 * but outside the EU. Source: the Firestore and Cloud Run location lists of Google Cloud.
 */
export const locationJurisdiction = {
  "africa-south1": "other",
  "asia-east1": "other",
  "asia-east2": "other",
  "asia-northeast1": "other",
  "asia-northeast2": "other",
  "asia-northeast3": "other",
  "asia-south1": "other",
  "asia-south2": "other",
  "asia-southeast1": "other",
  "asia-southeast2": "other",
  "australia-southeast1": "other",
  "australia-southeast2": "other",
  eur3: "eu",
  "europe-central2": "eu",
  "europe-north1": "eu",
  "europe-north2": "eu",
  "europe-southwest1": "eu",
  "europe-west1": "eu",
  "europe-west10": "eu",
  "europe-west12": "eu",
  "europe-west2": "other",
  "europe-west3": "eu",
  "europe-west4": "eu",
  "europe-west6": "other",
  "europe-west8": "eu",
  "europe-west9": "eu",
  "me-central1": "other",
  "me-central2": "other",
  "me-west1": "other",
  nam5: "us",
  nam7: "us",
  "northamerica-northeast1": "other",
  "northamerica-northeast2": "other",
  "northamerica-south1": "other",
  "southamerica-east1": "other",
  "southamerica-west1": "other",
  "us-central1": "us",
  "us-east1": "us",
  "us-east4": "us",
  "us-east5": "us",
  "us-south1": "us",
  "us-west1": "us",
  "us-west2": "us",
  "us-west3": "us",
  "us-west4": "us",
} as const satisfies Record<string, "eu" | "us" | "other">;

export type Location = keyof typeof locationJurisdiction;
const locations = Object.keys(locationJurisdiction) as [Location, ...Location[]];
const multiRegions: readonly string[] = ["eur3", "nam5", "nam7"];

/** A place for a database: a region, or one of Firestore's multi-regions. */
export const location = z.enum(locations);

/** A place for compute: one region. */
export const region = location.refine((l) => !multiRegions.includes(l), {
  error: "is a multi-region: functions run in one region, such as europe-west1",
});

/** True when data at `place` honours `wanted`. */
export function isInside(place: Location, wanted: Residency): boolean {
  return wanted === "global" || locationJurisdiction[place] === wanted;
}
