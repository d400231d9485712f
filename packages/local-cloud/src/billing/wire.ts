/** Just enough of protobuf's wire format to count what is in a message, without a copy of the database's descriptors. */
export interface Field {
  number: number;
  /** A varint's value, or the bytes of a message, a text or a fixed-width field. */
  value: bigint | Buffer;
}

/** The fields of one message, in order. Throws when it is cut off or no protobuf. */
export function* fieldsOf(message: Buffer): Generator<Field> {
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = message[at++];
      if (byte === undefined || shift > 63n) throw new Error("not a protobuf message");
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < message.length) {
    const tag = varint();
    const number = Number(tag >> 3n);
    const type = Number(tag & 7n);
    if (type === 0) yield { number, value: varint() };
    else if (type === 2) {
      const length = Number(varint());
      if (at + length > message.length) throw new Error("not a whole protobuf message");
      yield { number, value: message.subarray(at, at + length) };
      at += length;
    } else if (type === 1 || type === 5) {
      const length = type === 1 ? 8 : 4;
      if (at + length > message.length) throw new Error("not a whole protobuf message");
      yield { number, value: message.subarray(at, at + length) };
      at += length;
    } else throw new Error("not a protobuf message");
  }
}

/** The messages or texts of one field of a message, in order. */
export function partsOf(message: Buffer, wanted: number): Buffer[] {
  const parts: Buffer[] = [];
  for (const { number, value } of fieldsOf(message)) {
    if (number === wanted && typeof value !== "bigint") parts.push(value);
  }
  return parts;
}

/** The text of a field; empty when it is absent. */
export function textOf(message: Buffer, wanted: number): string {
  return partsOf(message, wanted)[0]?.toString("utf8") ?? "";
}

/** The whole number of a field, as protobuf writes signed ones; 0 when it is absent. */
export function numberOf(message: Buffer, wanted: number): number {
  for (const { number, value } of fieldsOf(message)) {
    if (number === wanted && typeof value === "bigint") return Number(BigInt.asIntN(64, value));
  }
  return 0;
}

/** Takes gRPC's five bytes off the messages of one direction of a call, however they are cut. */
export class Messages {
  #pending: Buffer = Buffer.alloc(0);

  /** The messages that are whole with these bytes. Throws for compressed ones, which nobody here sends. */
  push(bytes: Buffer): Buffer[] {
    this.#pending = this.#pending.length === 0 ? bytes : Buffer.concat([this.#pending, bytes]);
    const whole: Buffer[] = [];
    while (this.#pending.length >= 5) {
      const end = 5 + this.#pending.readUInt32BE(1);
      if (this.#pending.length < end) break;
      if (this.#pending[0] !== 0) throw new Error("a compressed gRPC message cannot be counted");
      whole.push(this.#pending.subarray(5, end));
      this.#pending = this.#pending.subarray(end);
    }
    return whole;
  }
}
