import { cellId, maxEpoch } from "@proveniq/contracts";
import type { Directory, Placed } from "@proveniq/tenant-context/directory";

/** A request as it was sent on. */
interface SentOn {
  tenantId: string;
  cell: { id: string };
  epoch: number;
}

/**
 * A cell answered 421: true when there is now another cell to ask for this tenant. What the cell says is believed
 * within the bounds of `Directory.adopt`, and no further.
 *
 * @param value Of the reserved header that may come with a 421.
 */
export function learnSuccessor(directory: Directory, sent: SentOn, value: string | undefined): boolean {
  const told = readSuccessor(value);
  const asked = { cellId: sent.cell.id, epoch: sent.epoch };
  return told !== undefined && directory.adopt(sent.tenantId, asked, told);
}

/** `cellId;epoch`; undefined for anything else. */
function readSuccessor(value: string | undefined): Placed | undefined {
  const [id, epoch, ...more] = (value ?? "").split(";");
  if (epoch === undefined || more.length > 0 || !cellId.safeParse(id).success) return undefined;
  const text = epoch.trim();
  if (!/^[1-9][0-9]{0,9}$/.test(text) || Number(text) > maxEpoch) return undefined;
  return { cellId: id ?? "", epoch: Number(text) };
}
