import protobuf from "protobufjs";
import { z } from "zod";
import type { Table } from "../store/catalog.ts";
import { type CellValue, fromWire } from "../store/schema.ts";
import { StreamFault } from "../store/streams.ts";

/** A message type as clients send it: google.protobuf.DescriptorProto. */
const descriptor = z.object({
  field: z.array(
    z.object({ name: z.string(), number: z.int().min(1), type: z.int(), label: z.int().optional() }),
  ),
});

type Read = (reader: protobuf.Reader) => string | number | bigint | boolean;

const signed = (long: unknown): bigint => BigInt(String(long));
/** By google.protobuf.FieldDescriptorProto.Type: wire type, and how to read it. */
const readers = new Map<number, [wire: number, read: Read]>([
  [1, [1, (r) => r.double()]],
  [2, [5, (r) => r.float()]],
  [3, [0, (r) => signed(r.int64())]],
  [4, [0, (r) => signed(r.uint64())]],
  [5, [0, (r) => BigInt(r.int32())]],
  [8, [0, (r) => r.bool()]],
  [9, [2, (r) => r.string()]],
  [13, [0, (r) => BigInt(r.uint32())]],
  [17, [0, (r) => BigInt(r.sint32())]],
  [18, [0, (r) => signed(r.sint64())]],
]);
const repeated = 3;

export type RowDecoder = (bytes: Uint8Array) => CellValue[];

/**
 * How to read rows of a writer's message type into the columns of a table. Throws a `StreamFault` when the message has a field
 * that the table lacks, or one of a kind that the local warehouse does not read.
 */
export function rowDecoder(schema: unknown, table: Table): RowDecoder {
  const read = descriptor.safeParse(schema);
  if (!read.success) throw new StreamFault(3, 0, "writer_schema holds no message type");
  const columns = new Map(table.fields.map((f, n) => [f.name.toLowerCase(), n]));
  const fields = new Map<number, { column: number; wire: number; read: Read }>();
  for (const { name, number, type, label } of read.data.field) {
    const column = columns.get(name.toLowerCase());
    if (column === undefined) {
      throw new StreamFault(
        3,
        7,
        `Input schema has more fields than BigQuery schema, extra fields: '${name}'`,
      );
    }
    const known = readers.get(type);
    if (known === undefined || label === repeated) {
      throw new StreamFault(
        3,
        0,
        `The local warehouse cannot read field ${name}: lists and messages are not kept`,
      );
    }
    fields.set(number, { column, wire: known[0], read: known[1] });
  }
  return (bytes) => {
    const values: (string | number | bigint | boolean | undefined)[] = [];
    const reader = protobuf.Reader.create(bytes);
    while (reader.pos < reader.len) {
      const tag = reader.uint32();
      const field = fields.get(tag >>> 3);
      if (field === undefined || field.wire !== (tag & 7)) reader.skipType(tag & 7);
      else values[field.column] = field.read(reader);
    }
    return table.fields.map((f, n) => fromWire(f, values[n]));
  };
}
