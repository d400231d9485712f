import { describe, expect, it } from "vitest";
import { readUrlMaps } from "./read.ts";
import { routeByUrlMap, type UrlMap, urlMap, urlMapFaults } from "./url-map.ts";

const rule = (priority: number, service: string, ...match_rules: object[]) => ({
  priority,
  service,
  match_rules,
});
const map: UrlMap = urlMap.parse({
  name: "edge",
  default_service: "router",
  default_route_action: [{ fault_injection_policy: [{ abort: [{ http_status: 421, percentage: 100 }] }] }],
  host_rule: [{ hosts: ["a.example"], path_matcher: "m" }],
  path_matcher: [
    {
      name: "m",
      default_service: "rest",
      route_rules: [
        rule(2, "second", { prefix_match: "/t/one/" }),
        rule(1, "first", { full_path_match: "/v1/imports" }, { path_template_match: "/t/*/v1/imports/**" }),
        rule(3, "header", {
          prefix_match: "/",
          header_matches: [{ header_name: "x-tenant-id", exact_match: "one" }],
        }),
      ],
    },
  ],
});

describe("a load balancer's decision", () => {
  it.each([
    ["a.example", "/v1/imports?x=1", [], "first"],
    ["A.Example:443", "/t/any/v1/imports/i/chunks/1", [], "first"],
    ["a.example", "/t/one/v1/imports/", [], "first"],
    ["a.example", "/t/one/v1/importers", [], "second"],
    ["a.example", "/t/one", [], "rest"],
    ["a.example", "/v1/items", ["one"], "header"],
    ["a.example", "/v1/items", ["one", "one"], "rest"],
    ["a.example", "/v1/items", ["ONE"], "rest"],
    ["a.example", "/t/a/b/v1/imports/x", [], "rest"],
  ])("%s %s %j → %s", (host, path, tenants, service) => {
    const headers = { "x-tenant-id": tenants };
    expect(routeByUrlMap(map, { host, path, headers })).toMatchObject({ kind: "service", service });
  });

  it("refuses a host that it was not given", () => {
    const decision = routeByUrlMap(map, { host: "b.example", path: "/", headers: {} });
    expect(decision).toEqual({ kind: "reject", status: 421, by: "no such host" });
  });
});

describe("a URL map that Google would refuse", () => {
  it("is told by what is wrong with it", () => {
    expect(urlMapFaults(map)).toEqual([]);
    const [matcher] = map.path_matcher;
    if (matcher === undefined) throw new Error("no matcher");
    const twice = { ...map, host_rule: [...map.host_rule, ...map.host_rule] };
    expect(urlMapFaults(twice)).toEqual(["edge: a.example has two host rules"]);
    const rules = Array.from({ length: 1_001 }, (_, n) => rule(n, "s".repeat(60), { prefix_match: `/${n}` }));
    const many = urlMap.parse({ ...map, path_matcher: [{ ...matcher, route_rules: rules }] });
    expect(urlMapFaults(many).map((f) => f.replace(/\d+ bytes/, "N bytes"))).toEqual([
      "edge: N bytes are more than the 64 KiB of a URL map",
      "edge, m: more than 1,000 route rules",
      "edge, m: more than 1,000 predicates",
    ]);
  });
});

describe("what terraform shows", () => {
  it("is searched through all its modules", () => {
    const resources = [{ type: "google_compute_region_url_map", values: map }];
    const text = JSON.stringify({
      values: { root_module: { child_modules: [{ child_modules: [{ resources }] }] } },
    });
    expect(readUrlMaps(text)).toEqual([map]);
    expect(() => readUrlMaps('{"values":{"root_module":{}}}')).toThrow("holds no URL map");
  });
});
