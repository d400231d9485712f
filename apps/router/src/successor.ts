import { cellId } from "@proveniq/contracts";

/** `cellId;epoch` of the reserved header that comes with a 421; undefined when it is absent or anything else. */
export function readSuccessor(value: string | undefined): { cellId: string; epoch: number } | undefined {
  if (value === undefined) return undefined;
  const at = value.indexOf(";");
  const id = value.slice(0, at);
  const epoch = value.slice(at + 1).trim();
  if (at === -1 || !cellId.safeParse(id).success || !/^[1-9][0-9]{0,9}$/.test(epoch)) return undefined;
  return { cellId: id, epoch: Number(epoch) };
}
