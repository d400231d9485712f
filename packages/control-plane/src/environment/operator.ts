import { hostname, userInfo } from "node:os";
import type { Origin } from "@proveniq/db/control";

/** Who makes changes from here, for the audit. */
export const operator = (): Origin => ({ who: userInfo().username, from: hostname() });
