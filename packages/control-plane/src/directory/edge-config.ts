import { messageOf, parseFile, replaceableSnapshot } from "@proveniq/contracts";
import { z } from "zod";
import { RefusedError } from "../refused.ts";
import { type DirectoryTarget, readable } from "./directory-target.ts";

/** Who may write to an Edge Config: clients only ever get a token to read. */
export interface EdgeConfigAccess {
  /** Token of the platform's REST API. Never printed. */
  token: string;
  /** The team that owns it; without one it is the token's own. */
  team?: string;
  /** Only for tests. */
  api?: string;
}

const itemKey = "directory";
const timeoutMs = 15_000;
const items = z.array(z.object({ key: z.string(), value: z.unknown() }));
const problem = z.object({ error: z.object({ message: z.string() }) });

/**
 * The item `directory` of an Edge Config, by the REST API of its platform: whole or not at all, as one item is.
 *
 * @see https://vercel.com/docs/rest-api/edge-config/update-edge-config-items-in-batch
 */
export function edgeConfigTarget(id: string, access: EdgeConfigAccess): DirectoryTarget {
  const call = (method: "GET" | "PATCH", body?: object) => callApi(id, access, method, body);
  return {
    name: id,
    capped: true,
    read: async () => {
      const answer = items.safeParse(await call("GET"));
      if (!answer.success)
        throw new RefusedError(`${id}: its platform's answer is no list of items. Nothing was changed.`);
      const found = answer.data.find(({ key }) => key === itemKey);
      if (found === undefined) return undefined;
      return readable(() =>
        parseFile(replaceableSnapshot, `${id}, item ${itemKey}`, JSON.stringify(found.value)),
      );
    },
    // Its platform keeps the former versions of an Edge Config, and a second copy might not fit into it.
    setAside: async () => undefined,
    write: async (snapshot) => {
      await call("PATCH", { items: [{ operation: "upsert", key: itemKey, value: snapshot }] });
    },
    close: () => undefined,
  };
}

async function callApi(
  id: string,
  { token, team, api = "https://api.vercel.com" }: EdgeConfigAccess,
  method: "GET" | "PATCH",
  body?: object,
): Promise<unknown> {
  // Said here, because fetch would print the whole header with what is wrong with it.
  if (!/^[\x21-\x7e]+$/.test(token))
    throw new RefusedError(
      "EDGE_CONFIG_API_TOKEN holds a space, a line break or a character that no token has. Set it again.",
    );
  const url = new URL(`/v1/edge-config/${id}/items`, api);
  if (team !== undefined) url.searchParams.set("teamId", team);
  let response: Response;
  let text: string;
  try {
    response = await fetch(url, {
      method,
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(timeoutMs),
    });
    text = await response.text();
  } catch (error) {
    const reason = messageOf(error);
    throw new RefusedError(`${id}: ${url.host} did not answer: ${reason}. ${unsure(method)}`);
  }
  if (response.ok) {
    try {
      return JSON.parse(text);
    } catch {
      throw new RefusedError(`${id}: ${url.host} answered something that is not JSON. ${unsure(method)}`);
    }
  }
  throw new RefusedError(
    `${id}: ${meaning(response.status, text)}${response.status >= 500 ? ` ${unsure(method)}` : ""}`,
  );
}

function unsure(method: "GET" | "PATCH"): string {
  return method === "GET"
    ? "Nothing was changed."
    : "Whether it was written is not known: run `fleet directory diff` with the same target.";
}

/** What a status says to whoever publishes, and what to do next. */
function meaning(status: number, text: string): string {
  if (status === 401 || status === 403)
    return `the token may not do that (${status}). EDGE_CONFIG_API_TOKEN must be one that can write there, and EDGE_CONFIG_TEAM its team.`;
  if (status === 404)
    return "there is no such Edge Config, or the token's team does not own it (404). See EDGE_CONFIG_TEAM.";
  if (status === 413)
    return "the directory is larger than the plan allows (413): see directory.maxBytes in infra/fleet.json.";
  if (status === 429) return "too many writes (429): try again in a minute.";
  if (status >= 500) return `its platform failed (${status}).`;
  let told: unknown;
  try {
    told = JSON.parse(text);
  } catch {
    told = undefined;
  }
  const said = problem.safeParse(told).data?.error.message;
  return `it was refused (${status})${said === undefined ? "" : `: ${said}`}.`;
}
