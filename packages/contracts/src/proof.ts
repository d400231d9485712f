import { z } from "zod";
import { headers } from "./headers.ts";
import { type Residency, residency } from "./region.ts";

/**
 * How the fleet proves itself to its own cells. A cell's own host (`eu-api.cells.<zone>`) is for routers and operators; who asks
 * there says when, and an HMAC-SHA-256 over time, host and target by a secret that the fleet's processes of one residency share.
 * What the load balancer sends straight to a cell comes under a client's host and needs none.
 */

/** How far the clocks of two processes of the fleet may differ, in seconds. */
export const proofWindowSeconds = 60;

/** One secret of a residency. Its id is public, and says which of two was used. */
export interface ProofSecret {
  residency: Residency;
  id: string;
  /** At least 32 random bytes, in base64url. Its text is the key. */
  secret: string;
}

const form = /^([a-z]+):([a-z0-9]{6})\.([A-Za-z0-9_-]{43,128})$/;

/** `eu:ab12cd.<secret>`, several with commas between them. Of each residency the first signs, and at most two are believed. */
export const proofSecrets = z.string().transform((text, ctx): readonly ProofSecret[] => {
  const found = text.split(",").flatMap((part): ProofSecret[] => {
    const [, of, id, secret] = form.exec(part.trim()) ?? [];
    const known = residency.safeParse(of);
    return known.success && id !== undefined && secret !== undefined
      ? [{ residency: known.data, id, secret }]
      : [];
  });
  const fault =
    found.length !== text.split(",").length
      ? "must be residency:id.secret, with commas between several (`fleet secrets make` prints one)"
      : residency.options.some((each) => found.filter((s) => s.residency === each).length > 2)
        ? "holds more than two secrets of one residency"
        : new Set(found.map(({ id }) => id)).size < found.length
          ? "holds an id twice"
          : undefined;
  if (fault !== undefined) ctx.addIssue({ code: "custom", message: fault });
  return found;
});

/** The same as text. For secret stores and environments only. */
export const writeSecrets = (secrets: readonly ProofSecret[]): string =>
  secrets.map((s) => `${s.residency}:${s.id}.${s.secret}`).join(",");

/** What is signed: `time` in seconds since 1970, `host` as the Host header has it, `target` as the request line has it. */
export const proofText = (time: number, host: string, target: string): string =>
  `proveniq-proof-v1\n${time}\n${host.toLowerCase()}\n${target}`;

/** The header's value; `mac` is the HMAC of `proofText`, in base64url. */
export const writeProof = (id: string, time: number, mac: string): string => `v1;${id};${time};${mac}`;

/** What such a header says; undefined when it is none. */
export function readProof(value: string | undefined): { id: string; time: number; mac: string } | undefined {
  const [, id, time, mac] = /^v1;([a-z0-9]{6});([0-9]{10});([A-Za-z0-9_-]{43})$/.exec(value ?? "") ?? [];
  if (id === undefined || time === undefined || mac === undefined) return undefined;
  return { id, time: Number(time), mac };
}

/** Headers by which the fleet asks `url` of a cell of that residency; none where no secret of it is known. */
export type Prover = (residency: Residency, url: string) => Readonly<Record<string, string>>;

/** A prover over these secrets. `hmac` gives the HMAC-SHA-256 of a text in base64url; `now` milliseconds since 1970. */
export function proverOf(
  secrets: readonly ProofSecret[],
  hmac: (secret: string, text: string) => string,
  now: () => number = Date.now,
): Prover {
  return (of, url): Record<string, string> => {
    const first = secrets.find((each) => each.residency === of);
    if (first === undefined) return {};
    const { host, pathname, search } = new URL(url);
    const time = Math.floor(now() / 1_000);
    const mac = hmac(first.secret, proofText(time, host, pathname + search));
    return { [headers.proof]: writeProof(first.id, time, mac) };
  };
}

const literal = /^(\[.*\]|[0-9.]+)$/;

/**
 * Whether a Host is a cell's own and no client's: in the zone of cells, the platform's name for it, or a bare address.
 * `localhost` is the fleet's host for clients of one machine. `zone` is what a cell's origins have in common, `cells.proveniq.io`.
 */
export function isCellsHost(host: string, zone: string): boolean {
  const name = host.toLowerCase().replace(/:\d*$/, "").replace(/\.$/, "");
  const inside = (parent: string) => name === parent || name.endsWith(`.${parent}`);
  return name === "" || literal.test(name) || [zone, "run.app", "cloudfunctions.net"].some(inside);
}
