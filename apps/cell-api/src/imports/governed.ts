import type { ImportMapping } from "@proveniq/contracts";
import type { Governed } from "@proveniq/db/tenant";

/** Which of an item's fields a mapping decides about. Without a mapping a row is a whole item. */
export function governedBy(mapping: ImportMapping | undefined): Governed {
  if (mapping === undefined) return "all";
  const fields = Object.entries(mapping.fields).flatMap(([name, field]) =>
    field === undefined ? [] : [name],
  );
  const kept = [...Object.values(mapping.fields), ...Object.values(mapping.attributes)].flatMap((field) =>
    field !== undefined && "keepAs" in field && field.keepAs !== undefined ? [field.keepAs] : [],
  );
  return { fields, attributes: [...Object.keys(mapping.attributes), ...kept] };
}
