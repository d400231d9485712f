import httpProxy from "@fastify/http-proxy";
import Fastify from "fastify";
import { cellOf, origins, port } from "./job.mjs";

const app = Fastify();
app.register(httpProxy, {
  upstream: "",
  undici: { connections: 64, pipelining: 1 },
  replyOptions: { getUpstream: (request) => origins[cellOf(request.headers, request.raw.url)] },
});
await app.listen({ port, host: "127.0.0.1" });
