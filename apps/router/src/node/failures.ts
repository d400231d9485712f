import type { ProblemCode } from "@proveniq/contracts";
import type { FailureKind } from "./upstream/types.ts";

/** What a client is told when its request failed between the router and a cell. */
export const failureProblems: Readonly<Record<FailureKind, readonly [ProblemCode, string]>> = {
  connect: ["cell-unreachable", "No connection to the cell. Try again in a few seconds."],
  "connect-timeout": ["cell-unreachable", "No connection to the cell in time. Try again in a few seconds."],
  overload: ["cell-busy", "Too many requests to the cell are under way. Try again in a few seconds."],
  share: ["cell-busy", "Too many requests of this tenant are under way. Try again in a few seconds."],
  reset: [
    "cell-unreachable",
    "The cell closed the connection before it answered. Whether it did the work is not known.",
  ],
  protocol: ["cell-unreachable", "The cell's answer was not valid HTTP."],
  "first-byte-timeout": [
    "cell-timeout",
    "The cell did not begin to answer. Whether it did the work is not known.",
  ],
  "idle-timeout": ["cell-timeout", "The cell stopped taking the request."],
  "client-idle": ["request-timeout", "The body stopped arriving. Send it again."],
};
