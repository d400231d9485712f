import { z } from "zod";
import type { Route } from "./route.ts";

/** A router answers by the same schema (apps/router/src/node/answer.ts), and alone with what is optional or `draining`. */
const health = z
  .strictObject({
    status: z.enum(["alive", "draining"]).describe("`draining`, of a router: it is about to end"),
    directoryVersion: z
      .int()
      .min(0)
      .optional()
      .describe("The version of the service directory that the router goes by; 0 before it has one"),
  })
  .meta({ id: "Health" });

export const getHealth: Route = {
  method: "get",
  path: "/health",
  scope: "process",
  operationId: "getHealth",
  summary: "Whether the process lives",
  description:
    "Asks no dependency: a database that is down must not make a platform restart cells. Behind a router it is the router's own.",
  answers: {
    200: { description: "It lives", schema: health },
    503: { description: "It still answers, but is about to end: send it nothing new.", schema: health },
  },
  problems: [],
  handle: (c) => c.json({ status: "alive" } satisfies z.infer<typeof health>),
};
