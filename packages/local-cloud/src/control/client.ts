import { type Trouble, trouble } from "@proveniq/control-plane/status";
import { z } from "zod";
import { controlHeader } from "./server.ts";

const count = z.int().min(0);
const relayReport = z.object({
  host: z.string(),
  target: z.string(),
  state: z.enum(["open", "cut", "held", "stalled"]),
  counters: z.object({
    connections: count,
    open: count,
    calls: count,
    bytesToServer: count,
    bytesToClient: count,
    dropped: count,
  }),
});
export type RelayReport = z.infer<typeof relayReport>;

const saved = z.object({ savedAt: z.iso.datetime() });
const deaths = z.object({ count: z.int(), last: z.string(), at: z.iso.datetime() });
const services = z.record(z.string(), z.object({ pid: z.int().optional(), deaths: deaths.optional() }));
export type RunningServices = z.infer<typeof services>;
const losses = z.array(
  z.object({ database: z.string(), at: z.iso.datetime(), savedAt: z.iso.datetime().nullable() }),
);

/** Faults for one relay of a running fleet, from another process. */
export interface RemoteRelay {
  cut(): Promise<void>;
  stall(): Promise<void>;
  restore(): Promise<void>;
  delay(ms: number): Promise<void>;
  /** Swallow the replies of the next `n` calls whose request contains the text (every call, without one). */
  dropReplies(n: number, containing?: string): Promise<void>;
  report(): Promise<RelayReport>;
}

/** A running fleet, from another process. */
export interface FleetControl {
  /** `central`, or a cell's id. */
  relay(name: string): RemoteRelay;
  relays(): Promise<Record<string, RelayReport>>;
  /** Pids by name: `router`, a cell's id, `emulator-central`, `emulator-<cell>`. */
  services(): Promise<RunningServices>;
  /** What is wrong with its processes and its data. */
  troubles(): Promise<Trouble[]>;
  /** Take note of the data that was lost; what is known of it. */
  acknowledge(): Promise<z.infer<typeof losses>>;
  /** SIGKILL one service. The fleet starts it again. */
  kill(service: string): Promise<void>;
  /** Start an artefact beside the one that serves a cell. Rejects, with the reason, when it does not become ready. */
  stage(cell: string, artefact: { digest: string; commit: string }): Promise<void>;
  /** Send a cell's requests to the artefact that stands beside. */
  serve(cell: string, digest: string): Promise<void>;
  /** Stop what stands beside, when its requests are answered. */
  settle(cell: string): Promise<void>;
  /** Save the fleet's data now. Rejects, with the reason, when it keeps none. */
  save(): Promise<{ savedAt: string }>;
}

/** Talk to the control endpoint of a running fleet (`control` in its state). */
export function controlClient(url: string): FleetControl {
  async function ask(method: "GET" | "POST", path: string): Promise<unknown> {
    const response = await fetch(new URL(path, url), { method, headers: { [controlHeader]: "1" } });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return response.json();
  }
  const relays = async () => z.record(z.string(), relayReport).parse(await ask("GET", "/relays"));
  return {
    relays,
    async services() {
      return services.parse(await ask("GET", "/services"));
    },
    async troubles() {
      return z.array(trouble).parse(await ask("GET", "/troubles"));
    },
    async acknowledge() {
      return losses.parse(await ask("POST", "/data/acknowledge"));
    },
    async kill(service) {
      await ask("POST", `/services/${encodeURIComponent(service)}/kill`);
    },
    async stage(cell, { digest, commit }) {
      const query = new URLSearchParams({ digest, commit });
      await ask("POST", `/cells/${encodeURIComponent(cell)}/stage?${query.toString()}`);
    },
    async serve(cell, digest) {
      await ask(
        "POST",
        `/cells/${encodeURIComponent(cell)}/serve?${new URLSearchParams({ digest }).toString()}`,
      );
    },
    async save() {
      return saved.parse(await ask("POST", "/data/save"));
    },
    async settle(cell) {
      await ask("POST", `/cells/${encodeURIComponent(cell)}/settle`);
    },
    relay(name) {
      const change = async (action: string, query: Record<string, string> = {}) => {
        const search = new URLSearchParams(query);
        return relayReport.parse(
          await ask("POST", `/relays/${encodeURIComponent(name)}/${action}?${search.toString()}`),
        );
      };
      return {
        cut: async () => void (await change("cut")),
        stall: async () => void (await change("stall")),
        restore: async () => void (await change("restore")),
        delay: async (ms) => void (await change("delay", { ms: String(ms) })),
        dropReplies: async (n, containing) =>
          void (await change("drop-replies", {
            count: String(n),
            ...(containing === undefined ? {} : { containing }),
          })),
        async report() {
          const report = (await relays())[name];
          if (report === undefined) throw new Error(`The fleet has no relay ${name}`);
          return report;
        },
      };
    },
  };
}
