import type { KeyObject } from "node:crypto";

export { FileKeys } from "./file.ts";
export { SecretManagerKeys } from "./secret-manager.ts";

/** A cell's keys, one a day, made when first asked for and gone for good after `keyDays` days. */
export interface DayKeys {
  /** The key of a day, YYYY-MM-DD; everyone who asks gets the same one. */
  key(day: string): Promise<KeyObject>;
  /** Destroy every key that `today` is too late for. */
  destroyExpired(today: string): Promise<void>;
}
