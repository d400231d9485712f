import replyFrom from "@fastify/reply-from";
import Fastify from "fastify";
import { cellOf, origins, port } from "./job.mjs";

const app = Fastify();
app.removeAllContentTypeParsers();
app.addContentTypeParser("*", (_request, payload, done) => done(null, payload));
app.register(replyFrom, { undici: { connections: 64, pipelining: 1 } });
app.all("/*", (request, reply) => reply.from(origins[cellOf(request.headers, request.url)] + request.url));
await app.listen({ port, host: "127.0.0.1" });
