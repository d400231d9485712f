import {
  cellId,
  type DirectorySnapshot,
  messageOf,
  type Prover,
  type Residency,
  residency,
} from "@proveniq/contracts";
import { z } from "zod";

/** What a cell says of itself. */
const identity = z.object({ id: cellId, residency });
export type CellIdentity = z.infer<typeof identity>;

/** Who answers at an origin of that residency. Rejects when nobody does, or what answers is no cell; its message says which. */
export type WhoIs = (origin: string, residency: Residency) => Promise<CellIdentity>;

export interface AskingCells {
  /** Proves to cells that the fleet asks. */
  prove?: Prover;
  /** Milliseconds until an answer must be there. */
  timeoutMs?: number;
}

/** Ask cells who they are, over HTTP: `GET /v1/cell`. */
export function whoIsOverHttp({ prove = () => ({}), timeoutMs = 5_000 }: AskingCells = {}): WhoIs {
  return async (origin, residency) => {
    const url = new URL("/v1/cell", origin);
    let response: Response;
    try {
      response = await fetch(url, {
        headers: prove(residency, url.href),
        redirect: "error",
        signal: AbortSignal.timeout(timeoutMs),
      });
    } catch (error) {
      throw new Error(`does not answer (${reasonOf(error)})`, { cause: error });
    }
    const said = identity.safeParse(await response.json().catch(() => undefined));
    if (response.status !== 200 || !said.success)
      throw new Error(`answers, but not as a cell (status ${response.status})`);
    return said.data;
  };
}

/** Each origin is asked once, however often somebody wants to know. */
export function askedOnce(whoIs: WhoIs): WhoIs {
  const asked = new Map<string, Promise<CellIdentity>>();
  return (origin, residency) => {
    const answer = asked.get(origin) ?? whoIs(origin, residency);
    asked.set(origin, answer);
    return answer;
  };
}

/**
 * Whether each cell of a directory is where it says. Refusals, a sentence each, when another cell answers, and when an
 * origin that routers do not use yet is silent; a warning when one that they do use is: it may be ill, and this
 * publication changes nothing for it.
 *
 * @param present What routers use now; undefined for nothing.
 */
export async function askCells(
  next: DirectorySnapshot,
  present: DirectorySnapshot | undefined,
  whoIs: WhoIs,
): Promise<{ refusals: string[]; warnings: string[] }> {
  const refusals: string[] = [];
  const warnings: string[] = [];
  const asking = Object.entries(next.topology.cells).flatMap(([id, cell]) =>
    (["api", "bulk"] as const).map(async (service) => {
      const origin = cell[service];
      const where = `cell ${id}, ${service}: ${origin}`;
      const used = present?.topology.cells[id]?.[service] === origin;
      try {
        const found = await whoIs(origin, cell.residency);
        if (found.id === id && found.residency === cell.residency) return;
        refusals.push(
          `${where} answers as cell ${found.id} (${found.residency}), not ${id} (${cell.residency}): see origins in infra/cells/${id}/cell.json, and where the name points`,
        );
      } catch (error) {
        const fault = `${where} ${messageOf(error)}`;
        if (used) warnings.push(`${fault}; routers use it already`);
        else
          refusals.push(
            `${fault}, and no router uses it yet: deploy the cell and let its name point there, then publish again`,
          );
      }
    }),
  );
  await Promise.all(asking);
  return { refusals: refusals.toSorted(), warnings: warnings.toSorted() };
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return "unknown";
  const { cause } = error;
  return cause instanceof Error && cause.message !== "" ? cause.message : error.message;
}
