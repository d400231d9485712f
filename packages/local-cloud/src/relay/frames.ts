/** Just enough of HTTP/2 (RFC 9113, section 4.1) to see where one call's frames begin and end in a byte stream. */
export interface FrameHeader {
  type: number;
  stream: number;
  /** True for a DATA or HEADERS frame that is its stream's last. */
  endStream: boolean;
}

export const frameTypes = { data: 0, headers: 1, reset: 3 } as const;

export interface FrameEvents {
  /** A frame begins; `at` is its offset in the chunk just pushed, 0 when it began in an earlier one. */
  begin?(frame: FrameHeader, at: number): void;
  payload?(frame: FrameHeader, part: Buffer): void;
  end?(frame: FrameHeader): void;
}

const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "latin1");
const headerBytes = 9;
const endStreamFlag = 0x1;

/** Walks one direction of a connection, chunk by chunk, copying nothing but headers that are split between chunks. */
export class FrameReader {
  readonly #events: FrameEvents;
  #prefaceLeft: number;
  #partial = Buffer.alloc(0);
  #frame: FrameHeader | undefined;
  #payloadLeft = 0;
  #other = false;

  /** `fromClient`: this direction begins with the connection preface. */
  constructor(fromClient: boolean, events: FrameEvents) {
    this.#events = events;
    this.#prefaceLeft = fromClient ? preface.length : 0;
  }

  /** True when the bytes are no HTTP/2: nothing is reported then. */
  get otherProtocol(): boolean {
    return this.#other;
  }

  push(chunk: Buffer): void {
    let at = this.#skipPreface(chunk);
    while (!this.#other && at < chunk.length) {
      if (this.#frame === undefined) {
        const begin = this.#partial.length > 0 ? 0 : at;
        const wanted = headerBytes - this.#partial.length;
        this.#partial = Buffer.concat([this.#partial, chunk.subarray(at, at + wanted)]);
        at += wanted;
        if (this.#partial.length < headerBytes) return;
        this.#beginFrame(begin);
      } else {
        const part = chunk.subarray(at, at + this.#payloadLeft);
        at += part.length;
        this.#payloadLeft -= part.length;
        this.#events.payload?.(this.#frame, part);
      }
      this.#endFrame();
    }
  }

  #skipPreface(chunk: Buffer): number {
    if (this.#prefaceLeft === 0) return 0;
    const from = preface.length - this.#prefaceLeft;
    const seen = chunk.subarray(0, this.#prefaceLeft);
    if (!seen.equals(preface.subarray(from, from + seen.length))) this.#other = true;
    this.#prefaceLeft -= seen.length;
    return seen.length;
  }

  #beginFrame(at: number): void {
    const header = this.#partial;
    this.#partial = Buffer.alloc(0);
    const type = header.readUInt8(3);
    const ends = type === frameTypes.data || type === frameTypes.headers;
    this.#payloadLeft = header.readUIntBE(0, 3);
    this.#frame = {
      type,
      stream: header.readUInt32BE(5) & 0x7fffffff,
      endStream: ends && (header.readUInt8(4) & endStreamFlag) !== 0,
    };
    this.#events.begin?.(this.#frame, at);
  }

  #endFrame(): void {
    if (this.#frame === undefined || this.#payloadLeft > 0) return;
    const frame = this.#frame;
    this.#frame = undefined;
    this.#events.end?.(frame);
  }
}
