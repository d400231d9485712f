import type { Registry } from "@proveniq/db/control";
import type { DatabasePool } from "@proveniq/db/pool";

/** The databases that the control plane works on. Whoever calls it opens and closes them. */
export interface Connections {
  /** The registry in the central project. */
  control: Registry;
  /** The tenants' databases of a cell. */
  cell(id: string): DatabasePool;
}
