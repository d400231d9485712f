import { describeCell } from "./cell.ts";
import { getDocs, getOpenApi } from "./documents.ts";
import { getHealth } from "./health.ts";
import { cancelImport } from "./imports/cancel.ts";
import { completeImport } from "./imports/complete.ts";
import { createImport } from "./imports/create.ts";
import { getImport } from "./imports/get.ts";
import { listImports } from "./imports/list.ts";
import { putChunk } from "./imports/put-chunk.ts";
import { getErrorsCsv, getErrorsNdjson } from "./imports/report.ts";
import { getUndoNdjson, undoImport } from "./imports/undo.ts";
import { createItem } from "./items/create.ts";
import { deleteItem } from "./items/delete.ts";
import { getItem } from "./items/get.ts";
import { listItems } from "./items/list.ts";
import { patchItem } from "./items/patch.ts";
import { batchGetMarketValues } from "./market/batch-get.ts";
import { getMarketValue } from "./market/get.ts";
import { getMe } from "./me.ts";
import { getPortfolio } from "./portfolio/get.ts";
import { getReady } from "./ready.ts";
import type { Route } from "./route.ts";

/** Every operation of a cell, in the order in which the documentation shows them. */
export const routes: readonly Route[] = [
  createItem,
  listItems,
  getItem,
  patchItem,
  deleteItem,
  getMarketValue,
  batchGetMarketValues,
  getPortfolio,
  createImport,
  putChunk,
  completeImport,
  getImport,
  listImports,
  cancelImport,
  getErrorsCsv,
  getErrorsNdjson,
  undoImport,
  getUndoNdjson,
  getMe,
  describeCell,
  getHealth,
  getReady,
  getOpenApi,
  getDocs,
];

/** Where a route is served: full path templates, with `{name}` for parameters. */
export function pathsOf(route: Route): string[] {
  if (route.scope === "process") return [route.path];
  return [`/v1${route.path}`, `/t/{tenant}/v1${route.path}`];
}
