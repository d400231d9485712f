/** A request as the router wrote it to a cell. */
export interface ReadRequest {
  line: string;
  /** By name in lower case; of a repeated one the last. */
  headers: Map<string, string>;
  body: Buffer;
}

/** Reads what the router writes to a cell: one request after the other, its body by length or in chunks. */
export class RequestReader {
  #bytes: Buffer = Buffer.alloc(0);
  #head: ReadRequest | undefined;
  #left = 0;
  #chunked = false;
  #parts: Buffer[] = [];
  readonly #onHead: (request: ReadRequest) => void;
  readonly #onWhole: (request: ReadRequest) => void;

  constructor(onHead: (request: ReadRequest) => void, onWhole: (request: ReadRequest) => void) {
    this.#onHead = onHead;
    this.#onWhole = onWhole;
  }

  /** Part of a request has come, and not all of it. */
  get within(): boolean {
    return this.#head !== undefined || this.#bytes.length > 0;
  }

  /** Throws when it is not HTTP. */
  push(piece: Buffer): void {
    this.#bytes = this.#bytes.length === 0 ? piece : Buffer.concat([this.#bytes, piece]);
    while (this.#step());
  }

  #step(): boolean {
    const head = this.#head;
    if (head === undefined) return this.#readHead();
    if (this.#left > 0) {
      const part = this.#bytes.subarray(0, this.#left);
      this.#bytes = this.#bytes.subarray(part.length);
      this.#left -= part.length;
      this.#parts.push(part);
      if (this.#left > 0) return false;
    }
    if (!this.#chunked) return this.#whole(head);
    const end = this.#bytes.indexOf("\r\n");
    if (end === -1) return false;
    const line = this.#bytes.toString("latin1", 0, end);
    if (line === "" && this.#parts.length > 0) {
      this.#bytes = this.#bytes.subarray(2);
      return true;
    }
    if (!/^[0-9a-f]{1,8}$/.test(line)) throw new Error(`a chunk's size is ${JSON.stringify(line)}`);
    if (line === "0") {
      if (this.#bytes.length < end + 4) return false;
      this.#bytes = this.#bytes.subarray(end + 4);
      return this.#whole(head);
    }
    this.#bytes = this.#bytes.subarray(end + 2);
    this.#left = Number.parseInt(line, 16);
    return this.#bytes.length > 0;
  }

  #whole(head: ReadRequest): boolean {
    head.body = Buffer.concat(this.#parts);
    this.#parts = [];
    this.#head = undefined;
    this.#onWhole(head);
    return this.#bytes.length > 0;
  }

  #readHead(): boolean {
    const end = this.#bytes.indexOf("\r\n\r\n");
    if (end === -1) return false;
    const [line = "", ...lines] = this.#bytes.toString("latin1", 0, end).split("\r\n");
    this.#bytes = this.#bytes.subarray(end + 4);
    const headers = new Map(
      lines.map((l) => {
        const colon = l.indexOf(":");
        return [l.slice(0, colon).toLowerCase(), l.slice(colon + 1).trim()] as const;
      }),
    );
    this.#left = Number(headers.get("content-length") ?? 0);
    this.#chunked = headers.get("transfer-encoding") === "chunked";
    this.#head = { line, headers, body: Buffer.alloc(0) };
    this.#onHead(this.#head);
    return true;
  }
}
