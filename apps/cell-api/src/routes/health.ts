import { z } from "zod";
import type { Route } from "./route.ts";

const health = z.strictObject({ status: z.literal("alive") }).meta({ id: "Health" });

export const getHealth: Route = {
  method: "get",
  path: "/health",
  scope: "process",
  operationId: "getHealth",
  summary: "Whether the process lives",
  description: "Asks no dependency: a database that is down must not make a platform restart cells.",
  answers: { 200: { description: "It lives", schema: health } },
  problems: [],
  handle: (c) => c.json({ status: "alive" } satisfies z.infer<typeof health>),
};
