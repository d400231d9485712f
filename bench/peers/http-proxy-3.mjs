import { Agent, createServer } from "node:http";
import { createProxyServer } from "http-proxy-3";
import { cellOf, origins, port } from "./job.mjs";

const proxy = createProxyServer({ agent: new Agent({ keepAlive: true, maxSockets: 256 }) });
proxy.on("error", (_error, _req, res) => res.writeHead(502).end());
createServer((req, res) => proxy.web(req, res, { target: origins[cellOf(req.headers, req.url)] })).listen(
  port,
  "127.0.0.1",
);
