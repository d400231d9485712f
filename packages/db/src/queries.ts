export { coveredBy, type IndexDefinitions, indexDefinitions } from "./queries/coverage.ts";
export { itemListShape, type QueryShape, queryShapes } from "./queries/shapes.ts";
