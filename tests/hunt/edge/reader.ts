/** An answer of the router's, as a client reads it. */
export interface Answer {
  status: number;
  /** Names in lower case and values in turn. */
  headers: string[];
  /** Status codes of the interim answers before it. */
  interim: number[];
  body: Buffer;
  complete: boolean;
}

export function headerOf(answer: Answer, name: string): string | undefined {
  const at = answer.headers.findIndex((h, n) => n % 2 === 0 && h === name);
  return at === -1 ? undefined : answer.headers[at + 1];
}

type State = "head" | "length" | "size" | "chunk" | "trailer" | "close" | "broken";

/** Reads answers, strictly: `fault` says what is wrong with the bytes that came. */
export class AnswerReader {
  readonly answers: Answer[] = [];
  fault: string | undefined;
  #state: State = "head";
  #bytes: Buffer = Buffer.alloc(0);
  #interim: number[] = [];
  #left = 0;
  #parts: Buffer[] = [];
  /** Methods of the requests, in order: an answer to HEAD has no body. */
  readonly #methods: readonly string[];

  constructor(methods: readonly string[]) {
    this.#methods = methods;
  }

  /** Answers that are complete. */
  get complete(): number {
    const last = this.answers.at(-1);
    return this.answers.length - (last === undefined || last.complete ? 0 : 1);
  }

  push(piece: Buffer): void {
    this.#bytes = this.#bytes.length === 0 ? piece : Buffer.concat([this.#bytes, piece]);
    while (this.fault === undefined && this.#step());
  }

  /** The connection has ended: an answer that lasts until then is complete. */
  end(): void {
    const last = this.answers.at(-1);
    if (this.#state === "close" && last !== undefined) this.#done(last);
  }

  #step(): boolean {
    const last = this.answers.at(-1);
    if (this.#state === "head") return this.#readHead();
    if (last === undefined || this.#bytes.length === 0) return false;
    if (this.#state === "close") return this.#take(this.#bytes.length);
    if (this.#state === "length" || this.#state === "chunk") {
      this.#take(Math.min(this.#left, this.#bytes.length));
      if (this.#left > 0) return false;
      if (this.#state === "length") this.#done(last);
      else this.#state = "size";
      return true;
    }
    const end = this.#bytes.indexOf("\r\n");
    if (end === -1) return false;
    const line = this.#bytes.toString("latin1", 0, end);
    this.#bytes = this.#bytes.subarray(end + 2);
    if (this.#state === "trailer") {
      if (line === "") this.#done(last);
      return true;
    }
    // The line end after a chunk's bytes.
    if (line === "" && this.#parts.length > 0) return true;
    if (!/^[0-9a-f]{1,8}$/i.test(line)) return this.#broken(`a chunk of size ${JSON.stringify(line)}`);
    this.#left = Number.parseInt(line, 16);
    this.#state = this.#left === 0 ? "trailer" : "chunk";
    return true;
  }

  #take(count: number): boolean {
    this.#parts.push(this.#bytes.subarray(0, count));
    this.#bytes = this.#bytes.subarray(count);
    this.#left -= count;
    return false;
  }

  #done(answer: Answer): void {
    answer.body = Buffer.concat(this.#parts);
    answer.complete = true;
    this.#parts = [];
    this.#state = "head";
  }

  #broken(what: string): boolean {
    this.fault = what;
    return false;
  }

  #readHead(): boolean {
    const end = this.#bytes.indexOf("\r\n\r\n");
    if (end === -1) return false;
    const text = this.#bytes.toString("latin1", 0, end);
    this.#bytes = this.#bytes.subarray(end + 4);
    const [line = "", ...lines] = text.split("\r\n");
    const match = /^HTTP\/1\.1 ([1-5][0-9]{2}) [\t\x20-\x7e\x80-\xff]*$/.exec(line);
    if (match === null) return this.#broken(`a status line ${JSON.stringify(line.slice(0, 80))}`);
    const status = Number(match[1]);
    if (status < 200) {
      this.#interim.push(status);
      return true;
    }
    const headers: string[] = [];
    for (const header of lines) {
      const parts = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t\x20-\x7e\x80-\xff]*)$/.exec(header);
      if (parts === null) return this.#broken(`a header ${JSON.stringify(header.slice(0, 80))}`);
      headers.push((parts[1] ?? "").toLowerCase(), parts[2] ?? "");
    }
    const answer: Answer = {
      status,
      headers,
      interim: this.#interim,
      body: Buffer.alloc(0),
      complete: false,
    };
    this.#interim = [];
    const method = this.#methods[this.answers.length];
    this.answers.push(answer);
    return this.#frame(answer, method);
  }

  #frame(answer: Answer, method: string | undefined): boolean {
    const length = headerOf(answer, "content-length");
    const coding = headerOf(answer, "transfer-encoding");
    if (length !== undefined && coding !== undefined) return this.#broken("an answer with length and chunks");
    if (method === "HEAD" || answer.status === 204 || answer.status === 304) this.#done(answer);
    else if (coding !== undefined) this.#state = "size";
    else if (length === undefined) this.#state = "close";
    else {
      this.#left = Number(length);
      this.#state = "length";
      if (this.#left === 0) this.#done(answer);
    }
    return true;
  }
}
