export { openWarehouse, statusOf, type WarehousePlace } from "./client.ts";
export { createWarehouse } from "./create.ts";
export { type Published, type PublishOptions, publishWarehouse } from "./publish.ts";
export { asRecords, type QueryResult, queryWarehouse, type Value } from "./query.ts";
