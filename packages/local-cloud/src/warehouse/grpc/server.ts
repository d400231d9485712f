import { createRequire } from "node:module";
import type { ServiceDefinition } from "@grpc/grpc-js";
import {
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerUnaryCall,
  type sendUnaryData,
} from "@grpc/grpc-js";
import protoLoader from "@grpc/proto-loader";
import { WarehouseFault } from "../faults.ts";
import type { Store } from "../store/index.ts";
import { StreamFault, type WriteStream } from "../store/streams.ts";
import { type RowDecoder, rowDecoder } from "./rows.ts";

interface AppendRequest {
  writeStream: string;
  offset?: { value: number } | null;
  protoRows?: {
    writerSchema?: { protoDescriptor?: unknown } | null;
    rows?: { serializedRows: Uint8Array[] } | null;
  } | null;
}

const service = "google.cloud.bigquery.storage.v1.BigQueryWrite";

function writeService(): ServiceDefinition {
  const protos = createRequire(import.meta.url)("@google-cloud/bigquery-storage/build/protos/protos.json");
  const loaded = protoLoader.fromJSON(protos, { longs: Number, defaults: true, oneofs: true });
  return loaded[service] as ServiceDefinition;
}

/** True when the answer to the append that was just committed shall be lost: for tests. */
export type LosesReply = () => boolean;

/** Serve the Storage Write API from a store. Resolves with the port and how to stop. */
export async function serveGrpc(
  store: Store,
  port: number,
  counted: { requests: number },
  losesReply: LosesReply = () => false,
): Promise<{ port: number; stop(): Promise<void> }> {
  const server = new Server({ "grpc.max_receive_message_length": 12 * 1024 * 1024 });
  const unary =
    <Q, A>(work: (request: Q) => Promise<A>) =>
    (call: ServerUnaryCall<Q, A>, reply: sendUnaryData<A>): void => {
      counted.requests++;
      work(call.request).then(
        (answer) => reply(null, answer),
        (error: unknown) => reply(statusOf(error)),
      );
    };
  server.addService(writeService(), {
    createWriteStream: unary(async (request: { parent: string; writeStream?: { type?: unknown } }) => {
      const type = request.writeStream?.type;
      if (type !== "COMMITTED" && type !== 1) {
        throw new StreamFault(3, 4, "The local warehouse keeps committed and default streams only");
      }
      return streamMessage(store, await store.streams.create(request.parent));
    }),
    getWriteStream: unary(async (request: { name: string }) =>
      streamMessage(store, store.streams.get(request.name)),
    ),
    finalizeWriteStream: unary(async (request: { name: string }) => ({
      rowCount: await store.streams.finalize(request.name),
    })),
    batchCommitWriteStreams: unary(() => Promise.reject(onlyCommitted())),
    flushRows: unary(() => Promise.reject(onlyCommitted())),
    appendRows: (call: ServerDuplexStream<AppendRequest, object>) =>
      appendRows(store, call, counted, losesReply),
  });
  const bound = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`127.0.0.1:${port}`, ServerCredentials.createInsecure(), (error, at) =>
      error === null ? resolve(at) : reject(error),
    );
  });
  return {
    port: bound,
    stop: () =>
      new Promise<void>((resolve) => {
        server.forceShutdown();
        resolve();
      }),
  };
}

const onlyCommitted = () =>
  new StreamFault(3, 4, "Pending and buffered streams are not kept by the local warehouse");

/** One connection: requests are answered in order, each in one transaction; a refused one does not end it. */
function appendRows(
  store: Store,
  call: ServerDuplexStream<AppendRequest, object>,
  counted: { requests: number },
  losesReply: LosesReply,
): void {
  let stream: WriteStream | undefined;
  let decode: RowDecoder | undefined;
  let last = Promise.resolve();

  const answer = async (request: AppendRequest): Promise<object> => {
    if (request.writeStream !== "" && request.writeStream !== stream?.name) {
      stream = store.streams.get(request.writeStream);
      decode = undefined;
    }
    if (stream === undefined) throw new StreamFault(3, 0, "The first request must name its write_stream");
    const schema = request.protoRows?.writerSchema?.protoDescriptor;
    if (schema !== undefined && schema !== null) decode = rowDecoder(schema, store.streams.table(stream));
    if (decode === undefined) throw new StreamFault(3, 0, "The first request must bring its writer_schema");
    const rows: ReturnType<RowDecoder>[] = [];
    const rowErrors: object[] = [];
    for (const [index, bytes] of (request.protoRows?.rows?.serializedRows ?? []).entries()) {
      try {
        rows.push(decode(bytes));
      } catch (error) {
        rowErrors.push({ index, code: 1, message: String(error) });
      }
    }
    if (rowErrors.length > 0) {
      return { error: { code: 3, message: "Errors found while processing rows", details: [] }, rowErrors };
    }
    const at = await store.streams.append(stream, request.offset?.value, rows);
    return { appendResult: { offset: at === undefined ? null : { value: at } }, writeStream: stream.name };
  };

  call.on("data", (request: AppendRequest) => {
    counted.requests++;
    last = last
      .then(() => answer(request))
      .catch((error: unknown) => {
        const status = statusOf(error);
        return {
          error: { code: status.code, message: status.details, details: status.any },
          writeStream: stream?.name ?? request.writeStream,
        };
      })
      .then((response) => {
        if (call.destroyed) return;
        if ("appendResult" in response && losesReply()) {
          call.emit("error", { code: 14, details: "the reply was lost" });
        } else call.write(response);
      });
  });
  call.on("end", () => void last.then(() => call.end()));
  call.on("error", () => undefined);
}

function streamMessage(store: Store, stream: WriteStream): object {
  const fields = store.streams.table(stream).fields.map((f) => ({
    name: f.name,
    type:
      f.type === "INTEGER" ? "INT64" : f.type === "FLOAT" ? "DOUBLE" : f.type === "BOOLEAN" ? "BOOL" : f.type,
    mode: f.mode,
  }));
  return { name: stream.name, type: "COMMITTED", tableSchema: { fields } };
}

/** A gRPC status for what went wrong; a fault of our own is INTERNAL and says so. */
function statusOf(error: unknown): { code: number; details: string; any: object[] } {
  if (error instanceof StreamFault) {
    return { code: error.code, details: error.message, any: [storageError(error)] };
  }
  if (error instanceof WarehouseFault) return { code: 3, details: error.message, any: [] };
  return { code: 13, details: `The local warehouse failed: ${String(error)}`, any: [] };
}

/** google.cloud.bigquery.storage.v1.StorageError {code = 1, entity = 2, error_message = 3}. */
function storageError({ storageCode, message }: StreamFault): object {
  const text = Buffer.from(message.slice(0, 100));
  return {
    type_url: "type.googleapis.com/google.cloud.bigquery.storage.v1.StorageError",
    value: Buffer.concat([Buffer.from([8, storageCode, 0x1a, text.length]), text]),
  };
}
