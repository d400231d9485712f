import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { proxy } from "hono/proxy";
import { cellOf, origins, port } from "./job.mjs";

const app = new Hono();
app.all("*", (c) => {
  const path = c.req.url.slice(c.req.url.indexOf("/", 8));
  return proxy(origins[cellOf(c.req.header(), path)] + path, c.req);
});
serve({ fetch: app.fetch, port, hostname: "127.0.0.1" });
