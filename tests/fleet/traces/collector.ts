import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { z } from "zod";

const attribute = z.object({ key: z.string(), value: z.record(z.string(), z.unknown()) });
const spans = z.object({
  resourceSpans: z.array(
    z.object({
      resource: z.object({ attributes: z.array(attribute) }),
      scopeSpans: z.array(
        z.object({
          scope: z.object({ name: z.string() }),
          spans: z.array(
            z.object({
              traceId: z.string().regex(/^[0-9a-f]{32}$/),
              spanId: z.string().regex(/^[0-9a-f]{16}$/),
              parentSpanId: z.string().optional(),
              name: z.string(),
              kind: z.int(),
              startTimeUnixNano: z.string().regex(/^[0-9]{19}$/),
              endTimeUnixNano: z.string().regex(/^[0-9]{19}$/),
              attributes: z.array(attribute),
              events: z.array(z.unknown()).default([]),
              status: z
                .object({ code: z.int().default(0), message: z.string().optional() })
                .default({ code: 0 }),
            }),
          ),
        }),
      ),
    }),
  ),
});

/** A span as it arrived, with where it came from. */
export interface Arrived {
  service: string;
  library: string;
  traceId: string;
  spanId: string;
  parent: string | undefined;
  name: string;
  start: bigint;
  end: bigint;
  failed: boolean;
  events: number;
}

/** `hang`: takes requests and answers none. */
export type Mood = "take" | "refuse" | "hang";

/** A stand-in for a collector of traces, on a free port of this machine. */
export class Collector {
  mood: Mood = "take";
  readonly arrived: Arrived[] = [];
  /** Everything that was sent, as it was sent, with its headers. */
  text = "";
  requests = 0;
  readonly #server = createServer((req, res) => {
    let body = "";
    req.setEncoding("utf8");
    req.on("data", (piece: string) => {
      body += piece;
    });
    req.on("error", () => undefined);
    req.on("end", () => {
      this.requests += 1;
      if (this.mood === "hang") return;
      if (this.mood === "take") this.#take(body);
      res.writeHead(this.mood === "take" ? 200 : 500, { "content-type": "application/json" });
      res.end("{}");
    });
  });

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** From now on nobody listens there. */
  async die(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }

  of(traceId: string): Arrived[] {
    return this.arrived.filter((span) => span.traceId === traceId);
  }

  #take(body: string): void {
    this.text += body;
    for (const { resource, scopeSpans } of spans.parse(JSON.parse(body)).resourceSpans) {
      const service = resource.attributes.find(({ key }) => key === "service.name")?.value["stringValue"];
      for (const { scope, spans: list } of scopeSpans) {
        for (const s of list) {
          this.arrived.push({
            service: String(service),
            library: scope.name,
            traceId: s.traceId,
            spanId: s.spanId,
            parent: s.parentSpanId === "" ? undefined : s.parentSpanId,
            name: s.name,
            start: BigInt(s.startTimeUnixNano),
            end: BigInt(s.endTimeUnixNano),
            failed: s.status.code === 2,
            events: s.events.length,
          });
        }
      }
    }
  }
}
