import { type AuditRecord, auditRecord } from "@proveniq/contracts";
import { type Environment, operator } from "@proveniq/control-plane/environment";
import type { Output } from "../output/print.ts";
import { confirmTyped } from "./confirm.ts";

/** Something that a command is about to do. */
export interface Change {
  /** For people: what will be changed, as an order, such as "Pause imports of cell eu". */
  what: string;
  /** What has to be typed outside this machine; without one, the environment's name. */
  name?: string | undefined;
  /** It was typed already, in another place than --confirm. */
  typed?: string | undefined;
  /**
   * Written to the audit before the change. Undefined only for what writes a record of its own together with the change, by whom
   * it was made.
   */
  record?: Pick<AuditRecord, "action" | "target" | "detail"> | undefined;
}

/**
 * The one way to change an environment: says what will be changed and where, lets only somebody do it outside this machine who has
 * typed the name of what is changed, and leaves an audit record. What changes something needs to know by whom, and is told here
 * alone. Throws `CommandError`, and nothing has changed, when the name was not typed, or is another.
 */
export async function mutate<T>(
  environment: Environment,
  { what, name = environment.name, typed, record }: Change,
  { output, confirm }: { output: Output; confirm: string | undefined },
  work: (environment: Environment, by: ReturnType<typeof operator>) => Promise<T>,
): Promise<T> {
  // Beside the result, which may be JSON.
  output.err(`${what}, in ${environment.title}`);
  if (environment.name !== "local") await confirmTyped(name, confirm ?? typed);
  await environment.ready();
  const by = operator();
  if (record !== undefined) {
    const at = new Date().toISOString();
    await environment.connections.control.record(auditRecord.parse({ ...by, at, ...record }));
  }
  return work(environment, by);
}
