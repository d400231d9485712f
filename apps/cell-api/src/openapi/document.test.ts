import { problemCodes, problems } from "@proveniq/contracts";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { pathsOf, routes } from "../routes/index.ts";
import { frontProblems } from "../routes/route.ts";
import { strandedApp } from "../testing/stranded-app.ts";
import { buildDocument } from "./document.ts";
import { renderPage } from "./page.ts";

const document = buildDocument(routes);
const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
);

/** What OpenAPI 3.1 requires of the objects that are used here; strict, so a misspelt field fails. */
const schema = z.record(z.string(), z.unknown());
const content = z.record(z.string().regex(/^[a-z]+\/[a-z+-]+$/), z.strictObject({ schema }));
const openApi = z.strictObject({
  openapi: z.literal("3.1.0"),
  info: z.strictObject({
    title: z.string(),
    version: z.string(),
    description: z.string(),
    license: z.strictObject({ name: z.string(), identifier: z.string() }),
  }),
  servers: z.array(z.strictObject({ url: z.string(), description: z.string() })).min(1),
  paths: z.record(
    z.string().startsWith("/"),
    z.partialRecord(
      z.enum(["get", "post", "put", "patch", "delete"]),
      z.strictObject({
        operationId: z.string().regex(/^[a-zA-Z]+$/),
        summary: z.string().min(3),
        description: z.string().optional(),
        tags: z.array(z.string()),
        security: z.array(z.strictObject({ bearer: z.tuple([]).optional() })),
        parameters: z.array(
          z.strictObject({
            name: z.string(),
            in: z.enum(["path", "query", "header"]),
            required: z.boolean(),
            description: z.string().min(3),
            schema,
          }),
        ),
        requestBody: z.strictObject({ required: z.literal(true), content }).optional(),
        responses: z.record(
          z.string().regex(/^[2-5][0-9][0-9]$/),
          z.strictObject({
            description: z.string().min(3),
            headers: z
              .record(z.string(), z.strictObject({ description: z.string().min(3), schema }))
              .optional(),
            content: content.optional(),
            links: z
              .record(
                z.string(),
                z.strictObject({ operationId: z.string(), parameters: z.record(z.string(), z.string()) }),
              )
              .optional(),
          }),
        ),
      }),
    ),
  ),
  components: z.strictObject({
    schemas: z.record(z.string().regex(/^[A-Za-z]+$/), schema),
    securitySchemes: z.record(
      z.string(),
      z.strictObject({ type: z.literal("http"), scheme: z.literal("bearer"), description: z.string() }),
    ),
  }),
});

describe("the OpenAPI document", () => {
  it("is well-formed OpenAPI 3.1", () => {
    expect(openApi.parse(document)).toEqual(document);
  });

  it("covers every route under each of its paths, and nothing else", () => {
    const served = routes.flatMap((route) => pathsOf(route).map((path) => `${route.method} ${path}`));
    expect(operations.map(({ path, method }) => `${method} ${path}`).sort()).toEqual(served.sort());
  });

  it("gives each operation an id of its own", () => {
    const ids = operations.map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it("has a parameter for each name in a path, and the reverse", () => {
    for (const { path, operation } of operations) {
      const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      const described = operation.parameters.filter((p) => p.in === "path").map((p) => p.name);
      expect(new Set(described)).toEqual(new Set(named));
    }
  });

  it("resolves every reference, and has no schema that nothing refers to", () => {
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map(([, r]) => r);
    const wanted = [...new Set(references)].map((r) => r?.replace("#/components/schemas/", ""));
    expect(new Set(wanted)).toEqual(new Set(Object.keys(document.components.schemas)));
    expect(wanted).toContain("Item");
    expect(JSON.stringify(document)).not.toContain("$defs");
  });

  it("asks for nothing that has a default, and uses no pattern that other languages cannot read", () => {
    const text = JSON.stringify(document.components.schemas);
    expect(text).not.toMatch(/"pattern":"[^"]*\(\?[=!<]|"pattern":"[^"]*\\\\[pP]\{/);
    expect(document.components.schemas["ImportInput"]).toMatchObject({ required: ["source", "format"] });
    expect(document.components.schemas["ImportComplete"]).toMatchObject({ required: ["chunks", "rows"] });
    expect(document.components.schemas["ImportJob"]).toMatchObject({
      required: expect.arrayContaining(["dryRun"]),
    });
  });

  it("names each problem by its code, under the status it has", () => {
    const responses = document.paths["/v1/items"]?.["post"]?.responses ?? {};
    for (const code of problemCodes) {
      const text = responses[problems[code].status]?.description ?? "";
      expect([code, text.includes(`\`${code}\``)]).toEqual([code, createItemProblems.has(code)]);
    }
  });

  it("says of every operation, those without a tenant too, what the router and the server in front can answer", () => {
    for (const { path, method, operation } of operations) {
      for (const code of frontProblems) {
        const answer = operation.responses[problems[code].status];
        expect([method, path, answer?.description]).toEqual([
          method,
          path,
          expect.stringContaining(`\`${code}\``),
        ]);
        expect(answer?.content).toHaveProperty(["application/problem+json"]);
      }
    }
    const notReady = document.paths["/ready"]?.["get"]?.responses[503];
    expect(Object.keys(notReady?.content ?? {})).toEqual(["application/json", "application/problem+json"]);
    expect(notReady?.description).toMatch(/does not\b.*`directory-unavailable`/);
  });

  it("is served, and so is the page, which loads nothing from elsewhere", async () => {
    const { call } = strandedApp();
    expect((await call("GET", "/openapi.json", { as: null })).body).toEqual(document);
    const page = await call("GET", "/docs", { as: null });
    expect(page.headers.get("content-type")).toBe("text/html; charset=utf-8");
    expect(page.headers.get("content-security-policy")).toContain("default-src 'none'");
    expect(page.text).toBe(renderPage(document));
    expect(page.text).not.toMatch(/<script|<link|<img|src=|href="[^#/]|url\(|@import/);
    for (const { path } of operations.filter((o) => !o.path.startsWith("/t/")))
      expect(page.text).toContain(path);
    for (const [, anchor] of page.text.matchAll(/href="#([^"]+)"/g))
      expect(page.text).toContain(`id="${anchor}"`);
  });

  it("escapes what it shows", () => {
    const summary = '<img src=x onerror="alert(1)">';
    const [route] = routes;
    if (route === undefined) throw new Error("there are routes");
    expect(renderPage(buildDocument([{ ...route, summary }]))).not.toContain("<img");
  });
});

const createItemProblems: ReadonlySet<string> = new Set([
  "invalid-request",
  "invalid-json",
  "invalid-tenant",
  "tenant-required",
  "tenant-conflict",
  "unauthenticated",
  "forbidden",
  "too-many-requests",
  "identity-unavailable",
  "tenant-suspended",
  "already-exists",
  "idempotency-conflict",
  "payload-too-large",
  "unsupported-media-type",
  "misdirected-request",
  "internal-error",
  "tenant-paused",
  "database-unavailable",
  ...frontProblems,
]);
