export { readUrlMaps } from "./read.ts";
export { routeByUrlMap, type UrlMap, type UrlMapDecision, urlMap, urlMapFaults } from "./url-map.ts";
