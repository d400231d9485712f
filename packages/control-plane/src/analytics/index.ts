export { openWarehouse, statusOf, type WarehousePlace } from "./client.ts";
export { createWarehouse } from "./create.ts";
export { type AsidePage, asidePages, type CellOutboxes, outboxesOf, resumeSinks } from "./outboxes.ts";
export { type Published, type PublishOptions, publishWarehouse } from "./publish.ts";
export { asRecords, type QueryResult, queryWarehouse, type Value } from "./query.ts";
export { type Reconciled, reconcileWarehouse } from "./reconcile.ts";
export { type AnalyticsReport, analyticsReport } from "./report.ts";
