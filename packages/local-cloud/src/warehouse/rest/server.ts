import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { notFound, WarehouseFault } from "../faults.ts";
import type { Store } from "../store/index.ts";
import { createDataset, datasetResource, listDatasets } from "./datasets.ts";
import { parseJson, type RestRequest, readRequest, sendFault, sendJson } from "./http.ts";
import { Jobs } from "./jobs.ts";
import { readMultipart } from "./multipart.ts";
import { createTable, listRows, StreamingInserts, tableResource, updateTable } from "./tables.ts";

const prefix = "/bigquery/v2";
const uploadPrefix = "/upload/bigquery/v2";

/** What anybody sees who looks at it with a browser. */
const introduction = {
  name: "Proveniq local warehouse",
  what: "A stand-in for BigQuery on this machine, on DuckDB. It is not BigQuery: it speaks the REST and gRPC interfaces that the official clients use for datasets, tables, inserts, loads, write streams and a small part of GoogleSQL, and refuses everything else.",
};

/** Serve BigQuery's REST interface from a store, on loopback only. */
export async function serveRest(
  store: Store,
  port: number,
  counted: { requests: number },
): Promise<{ port: number; stop(): Promise<void> }> {
  const context = { store, jobs: new Jobs(store), inserts: new StreamingInserts(store) };
  const server = createServer((message, response) => {
    const upload = message.url?.startsWith(uploadPrefix) === true;
    if (!upload && message.url?.startsWith(prefix) !== true) {
      if (message.url === "/" || message.url === "/health")
        sendJson(response, 200, { ...introduction, requests: counted.requests });
      else sendFault(response, notFound(message.url ?? ""));
      return;
    }
    counted.requests++;
    readRequest(message, upload ? uploadPrefix : prefix)
      .then((request) => (upload ? handleUpload(context, request) : handle(context, request)))
      .then(
        (body) => sendJson(response, body === undefined ? 204 : 200, body),
        (error: unknown) => sendFault(response, error),
      );
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  return { port: (server.address() as AddressInfo).port, stop: () => stop(server) };
}

const stop = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });

interface Context {
  store: Store;
  jobs: Jobs;
  inserts: StreamingInserts;
}

/** One request to an object that it has: `undefined` is an empty answer. */
async function handle({ store, jobs, inserts }: Context, request: RestRequest): Promise<object | undefined> {
  const { method, path, json, query } = request;
  const [, project = "", kind, name, below, child, action] = path;
  const route = `${method} ${[kind, name && "*", below, child && "*", action].filter(Boolean).join("/")}`;
  switch (route) {
    case "GET datasets":
      return listDatasets(store, project);
    case "POST datasets":
      return createDataset(store, project, json);
    case "GET datasets/*":
      return datasetResource(store.catalog.dataset(project, name ?? ""));
    case "DELETE datasets/*":
      await store.catalog.deleteDataset(project, name ?? "", query.get("deleteContents") === "true");
      return undefined;
    case "GET datasets/*/tables":
      return { tables: store.catalog.tables(project, name ?? "").map((t) => tableResource(project, t)) };
    case "POST datasets/*/tables":
      return createTable(store, project, name ?? "", json);
    case "GET datasets/*/tables/*":
      return tableResource(project, store.catalog.table(project, name ?? "", child ?? ""));
    case "PATCH datasets/*/tables/*":
    case "PUT datasets/*/tables/*":
      return updateTable(store, project, name ?? "", child ?? "", json);
    case "DELETE datasets/*/tables/*":
      await store.catalog.deleteTable(project, name ?? "", child ?? "");
      return undefined;
    case "GET datasets/*/tables/*/data":
      return listRows(store, project, store.catalog.table(project, name ?? "", child ?? ""), query);
    case "POST datasets/*/tables/*/insertAll":
      return inserts.insert(store.catalog.table(project, name ?? "", child ?? ""), json);
    case "POST queries":
      return jobs.query(project, json);
    case "GET queries/*":
      return jobs.results(project, name ?? "", query);
    case "POST jobs":
      return jobs.insert(project, json);
    case "GET jobs/*":
      return jobs.get(project, name ?? "");
    default:
      throw new WarehouseFault(501, "notImplemented", `The local warehouse does not do ${route}`);
  }
}

async function handleUpload({ jobs }: Context, request: RestRequest): Promise<object> {
  const [, project = "", kind] = request.path;
  if (kind !== "jobs" || request.query.get("uploadType") !== "multipart") {
    throw new WarehouseFault(
      501,
      "notImplemented",
      "The local warehouse takes multipart uploads of load jobs only",
    );
  }
  const { json, file } = readMultipart(request.contentType, request.body);
  return jobs.insert(project, parseJson(json), file);
}
