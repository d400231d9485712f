/** Protocol-buffer writing for flat messages: varints and length-delimited strings are all that rows need. */
export class Wire {
  #bytes = Buffer.allocUnsafe(256);
  #length = 0;

  #room(more: number): void {
    if (this.#length + more <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#length + more));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }

  #varint(value: bigint): void {
    this.#room(10);
    let rest = BigInt.asUintN(64, value);
    while (rest > 127n) {
      this.#bytes[this.#length++] = Number(rest & 127n) | 128;
      rest >>= 7n;
    }
    this.#bytes[this.#length++] = Number(rest);
  }

  #smallVarint(value: number): void {
    this.#room(5);
    let rest = value;
    while (rest > 127) {
      this.#bytes[this.#length++] = (rest & 127) | 128;
      rest >>>= 7;
    }
    this.#bytes[this.#length++] = rest;
  }

  /** Field of type int32 or int64. */
  int(field: number, value: number): this {
    this.#smallVarint(field << 3);
    if (value >= 0 && value < 2 ** 31) this.#smallVarint(value);
    else this.#varint(BigInt(value));
    return this;
  }

  /** Field of type string. */
  string(field: number, value: string): this {
    const length = Buffer.byteLength(value);
    this.#smallVarint((field << 3) | 2);
    this.#smallVarint(length);
    this.#room(length);
    this.#length += this.#bytes.write(value, this.#length);
    return this;
  }

  /** The message written so far; the next one starts empty. */
  take(): Buffer {
    const message = Buffer.from(this.#bytes.subarray(0, this.#length));
    this.#length = 0;
    return message;
  }
}
