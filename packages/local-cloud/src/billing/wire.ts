/** Just enough of protobuf's wire format to count what is in a message, without a copy of the database's descriptors. */
export interface Field {
  number: number;
  /** A varint's value, or the bytes of a message or text; fixed-width fields have neither. */
  value: bigint | Buffer | undefined;
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
      at += type === 1 ? 8 : 4;
      yield { number, value: undefined };
    } else throw new Error("not a protobuf message");
  }
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
