import { z } from "zod";
import type { Route } from "./route.ts";

export const getOpenApi: Route = {
  method: "get",
  path: "/openapi.json",
  scope: "process",
  operationId: "getOpenApi",
  summary: "This document",
  answers: { 200: { description: "OpenAPI 3.1", schema: z.looseObject({ openapi: z.string() }) } },
  problems: [],
  handle: async (c, deps) =>
    c.body((await deps.documents()).json, 200, { "content-type": "application/json" }),
};

export const getDocs: Route = {
  method: "get",
  path: "/docs",
  scope: "process",
  operationId: "getDocs",
  summary: "This document as a page to read",
  answers: { 200: { description: "A page that loads nothing from elsewhere", contentType: "text/html" } },
  problems: [],
  handle: async (c, deps) =>
    c.body((await deps.documents()).page, 200, {
      "content-type": "text/html; charset=utf-8",
      "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    }),
};
