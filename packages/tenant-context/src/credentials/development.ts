import { ownerId, scope } from "@proveniq/contracts";
import { type Authenticator, unauthenticated } from "./authenticator.ts";

export interface DevelopmentOptions {
  credential: string;
  environment: string;
  /** Told once, at start: this credential opens every tenant of the cell. */
  warn: (message: string) => void;
}

/**
 * The one credential of a machine for development: `<credential>` acts for the whole of any tenant,
 * `<credential>.<subject>` is the person `subject` there. Throws an Error outside development.
 */
export function developmentAuthenticator(options: DevelopmentOptions): Authenticator {
  const { credential, environment, warn } = options;
  if (environment !== "development") {
    throw new Error(
      "The development credential is refused outside development: unset DEVELOPMENT_CREDENTIAL.",
    );
  }
  if (credential.length < 8) throw new Error("DEVELOPMENT_CREDENTIAL must have at least 8 characters.");
  warn("The development credential is on: whoever knows it can read and change every tenant of this cell.");
  return async (given) => {
    if (given === undefined) throw unauthenticated();
    if (!(await same(given.slice(0, credential.length), credential))) throw unauthenticated();
    const rest = given.slice(credential.length);
    const all = { scopes: scope.options, expiresAtMs: null };
    if (rest === "") return { admit: async () => ({ kind: "development", id: "development", ...all }) };
    const subject = ownerId.safeParse(rest.slice(1));
    if (rest.charAt(0) !== "." || !subject.success) throw unauthenticated();
    const id = subject.data;
    return { admit: async () => ({ kind: "person", id, ownerId: id, ...all }) };
  };
}

/** Compares digests, so that the time it takes says nothing of how much of a guess was right. */
async function same(a: string, b: string): Promise<boolean> {
  const [x, y] = await Promise.all([a, b].map(digest));
  if (x === undefined || y === undefined) return false;
  return x.reduce((difference, byte, n) => difference | (byte ^ (y[n] ?? 0)), 0) === 0;
}

async function digest(text: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
}
