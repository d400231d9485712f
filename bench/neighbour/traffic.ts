import { Agent, request } from "node:http";

/** What people who call at a steady rate see. */
export interface Seen {
  p50: number;
  p99: number;
  errors: number;
  calls: number;
}

export interface TrafficOptions {
  url: string;
  tenant: string;
  key: string;
  perSecond: number;
  seconds: number;
}

/**
 * Call at a steady rate whatever the answers do (open loop): one write for every four reads of items that exist. Latency
 * counts from when a call was due, so that waiting in line counts too.
 */
export async function steadyTraffic(options: TrafficOptions, known: string[]): Promise<Seen> {
  const { perSecond, seconds } = options;
  const agent = new Agent({ keepAlive: true, maxSockets: 256 });
  const latencies: number[] = [];
  let errors = 0;
  const began = performance.now();
  const calls: Promise<void>[] = [];
  for (let n = 0; n < perSecond * seconds; n++) {
    const due = began + (n * 1000) / perSecond;
    const wait = due - performance.now();
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    const call =
      n % 5 === 0 || known.length === 0 ? create(options, agent, known) : read(options, agent, known, n);
    calls.push(
      call.then(
        () => void latencies.push(performance.now() - due),
        () => {
          errors++;
        },
      ),
    );
  }
  await Promise.all(calls);
  agent.destroy();
  latencies.sort((a, b) => a - b);
  const at = (q: number) => latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * q))] ?? 0;
  return { p50: at(0.5), p99: at(0.99), errors, calls: calls.length };
}

async function create(options: TrafficOptions, agent: Agent, known: string[]): Promise<void> {
  const body = JSON.stringify({ title: "Ring", category: "jewellery" });
  const { status, text } = await call(options, agent, "POST", "/v1/items", body);
  if (status !== 201) throw new Error(`answered ${status}`);
  known.push(JSON.parse(text).id);
}

async function read(
  options: TrafficOptions,
  agent: Agent,
  known: readonly string[],
  n: number,
): Promise<void> {
  const { status } = await call(options, agent, "GET", `/v1/items/${known[n % known.length]}`);
  if (status !== 200) throw new Error(`answered ${status}`);
}

function call(
  { url, tenant, key }: TrafficOptions,
  agent: Agent,
  method: string,
  path: string,
  body?: string,
) {
  return new Promise<{ status: number; text: string }>((resolve, reject) => {
    const headers = {
      authorization: `Bearer ${key}`,
      "x-tenant-id": tenant,
      ...(body === undefined
        ? {}
        : { "content-type": "application/json", "content-length": String(body.length) }),
    };
    const sent = request(new URL(path, url), { method, agent, headers, timeout: 10_000 }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (part: string) => {
        text += part;
      });
      response.on("end", () => resolve({ status: response.statusCode ?? 0, text }));
      response.on("error", reject);
    });
    sent.on("timeout", () => sent.destroy(new Error("no answer in time")));
    sent.on("error", reject);
    sent.end(body);
  });
}
