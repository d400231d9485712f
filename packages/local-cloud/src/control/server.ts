import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { artefactRef, messageOf } from "@proveniq/contracts";
import type { Trouble } from "@proveniq/control-plane/status";
import { z } from "zod";
import type { Relay } from "../relay/index.ts";

/** What the control endpoint can reach. */
export interface Controlled {
  /** Identifies this run of the fleet. */
  run: string;
  /** The fleet's state document. */
  state(): unknown;
  /** By name: `central`, or a cell's id. */
  relays: ReadonlyMap<string, Relay>;
  /** By name: `router`, a cell's id, `bulk-<cell>`, `replicate-<cell>`, `sink-<cell>`, `warehouse`, `emulator-central`, `emulator-<cell>`. */
  services(): ReadonlyMap<string, ControlledService>;
  versions: CellVersions;
  /** Save the data now. */
  save(): Promise<unknown>;
  /** What is wrong with its processes and its data. */
  troubles(): Trouble[];
  /** Somebody knows of the data that was lost; what was known of it. */
  acknowledge(): Promise<unknown>;
}

/** A process of the fleet. `deaths`: how often it ended by itself; `logFailure`: why its log cannot be written. */
export interface ControlledService {
  pid: number | undefined;
  kill(): void;
  deaths?: { count: number; last: string; at: string } | undefined;
  logFailure?: { since: string; reason: string } | undefined;
}

/** The versions of cells: one serves, another may stand beside it. */
export interface CellVersions {
  stage(cell: string, artefact: { digest: string; commit: string }): Promise<void>;
  serve(cell: string, digest: string): Promise<void>;
  settle(cell: string): Promise<void>;
}

export interface ControlServer {
  url: string;
  close(): Promise<void>;
}

/** Must be on every POST, so that no web page can make one. */
export const controlHeader = "x-fleet-control";

const delayQuery = z.strictObject({ ms: z.coerce.number().min(0).max(600_000) });
const dropQuery = z.strictObject({
  count: z.coerce.number().int().min(0).max(1_000_000),
  containing: z.string().min(1).optional(),
});

const stageQuery = artefactRef.pick({ digest: true, commit: true });
const serveQuery = artefactRef.pick({ digest: true });

class ControlError extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/**
 * Start the endpoint by which other processes (tests, above all) look at the fleet and give it faults:
 *
 *     GET  /run  /state  /relays  /services
 *     POST /relays/<name>/cut | stall | restore | delay?ms=N | drop-replies?count=N&containing=TEXT
 *     POST /services/<name>/kill        (SIGKILL; the fleet starts it again)
 *     POST /cells/<id>/stage?digest=D&commit=C   (start that artefact beside the one that serves)
 *     POST /cells/<id>/serve?digest=D            (requests go to that one; the former stands by)
 *     POST /cells/<id>/settle                    (stop what stands by, when its requests are answered)
 *     GET  /troubles
 *     POST /data/save | acknowledge
 *
 * It listens on 127.0.0.1 alone, and a POST needs the header `x-fleet-control`.
 */
export async function startControlServer(port: number, controlled: Controlled): Promise<ControlServer> {
  const server = createServer((request, response) => {
    void answer(controlled, request).then(
      (body) => send(response, 200, body),
      (error: unknown) => {
        const status = error instanceof ControlError ? error.status : 500;
        send(response, status, { error: messageOf(error) });
      },
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  return {
    url: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function send(response: ServerResponse, status: number, body: unknown): void {
  const text = typeof body === "string";
  response.writeHead(status, { "content-type": text ? "text/plain" : "application/json" });
  response.end(text ? body : JSON.stringify(body));
}

async function answer(controlled: Controlled, request: IncomingMessage): Promise<unknown> {
  const host = request.headers.host?.replace(/:\d+$/, "");
  if (host !== "127.0.0.1" && host !== "localhost") throw new ControlError(403, "This machine only");
  const url = new URL(request.url ?? "/", "http://127.0.0.1");
  const [what, name, action, more] = decode(url.pathname);
  if (request.method === "GET" && name === undefined) return look(controlled, what);
  if (request.method !== "POST" || more !== undefined) throw new ControlError(404, "No such route");
  if (request.headers[controlHeader] === undefined) {
    throw new ControlError(403, `A POST needs the header ${controlHeader}`);
  }
  if (what === "relays") return changeRelay(controlled, name, action, url.searchParams);
  if (what === "services" && action === "kill") {
    const service = controlled.services().get(name ?? "");
    if (service === undefined) throw new ControlError(404, `No service ${name}`);
    service.kill();
    return { killed: name, pid: service.pid };
  }
  if (what === "data" && name === "save" && action === undefined) return controlled.save();
  if (what === "data" && name === "acknowledge" && action === undefined) return controlled.acknowledge();
  if (what === "cells") return changeVersion(controlled.versions, name, action, url.searchParams);
  throw new ControlError(404, "No such route");
}

async function changeVersion(
  versions: CellVersions,
  cell: string | undefined,
  action: string | undefined,
  query: URLSearchParams,
): Promise<unknown> {
  if (cell === undefined) throw new ControlError(404, "No such route");
  if (action === "stage") await versions.stage(cell, read(stageQuery, query));
  else if (action === "serve") await versions.serve(cell, read(serveQuery, query).digest);
  else if (action === "settle") await versions.settle(cell);
  else throw new ControlError(404, "No such route");
  return { cell, done: action };
}

function decode(path: string): string[] {
  try {
    return path.slice(1).split("/").map(decodeURIComponent);
  } catch {
    throw new ControlError(400, "The path is not valid");
  }
}

function look(controlled: Controlled, what: string | undefined): unknown {
  if (what === "run") return controlled.run;
  if (what === "state") return controlled.state();
  if (what === "relays") {
    return Object.fromEntries([...controlled.relays].map(([name, relay]) => [name, describe(relay)]));
  }
  if (what === "services") {
    return Object.fromEntries(
      [...controlled.services()].map(([name, { pid, deaths }]) => [name, { pid, deaths }]),
    );
  }
  if (what === "troubles") return controlled.troubles();
  throw new ControlError(404, "No such route");
}

function describe(relay: Relay) {
  return { host: relay.host, target: relay.target, state: relay.state, counters: relay.counters() };
}

async function changeRelay(
  controlled: Controlled,
  name: string | undefined,
  action: string | undefined,
  query: URLSearchParams,
): Promise<unknown> {
  const relay = controlled.relays.get(name ?? "");
  if (relay === undefined) throw new ControlError(404, `No relay ${name}`);
  if (action === "cut") await relay.cut();
  else if (action === "stall") relay.stall();
  else if (action === "restore") await relay.restore();
  else if (action === "delay") relay.delay(read(delayQuery, query).ms);
  else if (action === "drop-replies") {
    const { count, containing } = read(dropQuery, query);
    relay.dropReplies(
      count,
      containing === undefined ? undefined : (request) => request.includes(containing),
    );
  } else throw new ControlError(404, "No such route");
  return describe(relay);
}

function read<T>(schema: z.ZodType<T>, query: URLSearchParams): T {
  const parsed = schema.safeParse(Object.fromEntries(query));
  if (!parsed.success) throw new ControlError(400, z.prettifyError(parsed.error));
  return parsed.data;
}
