import { createServer } from "node:http";
import fastProxy from "fast-proxy";
import { cellOf, origins, port } from "./job.mjs";

const proxies = origins.map((base) => fastProxy({ base, undici: { connections: 64, pipelining: 1 } }).proxy);
createServer((req, res) => proxies[cellOf(req.headers, req.url)](req, res, req.url, {})).listen(
  port,
  "127.0.0.1",
);
