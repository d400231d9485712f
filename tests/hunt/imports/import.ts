import { setTimeout as sleep } from "node:timers/promises";
import { type ImportJob, importJob } from "@proveniq/contracts";
import { Aftermath } from "./aftermath.ts";
import { type Answer, Broken } from "./caller.ts";
import { ImportCalls } from "./calls.ts";
import { completedFaults, countFaults, planFaults, refusedRows } from "./checks.ts";
import { nameless } from "./model.ts";
import type { Choices, Scene } from "./scene.ts";

type Phase = "new" | "receiving" | "ending" | "looking" | "ended";

/** One import of a case, from its begin to its end, a call at a time. */
export class HuntedImport {
  readonly choices: Choices;
  readonly #scene: Scene;
  #phase: Phase = "new";
  #calls: ImportCalls | undefined;
  #todo: number[] = [];
  readonly #done = new Set<number>();
  #opened = false;
  #tries = 0;
  #confirm: number | undefined;
  #wrongConfirmed = false;
  #previewed = false;
  /** Its last state as far as it was told. */
  job: ImportJob | undefined;
  ended: "completed" | "cancelled" | "stopped" | "abandoned" | undefined;
  #aftermath: Aftermath | undefined;

  constructor(choices: Choices, scene: Scene) {
    this.choices = choices;
    this.#scene = scene;
    const { random } = scene;
    const chunks = choices.file.chunks.map((_, n) => n);
    this.#todo = chunks
      .flatMap((n) => (random.chance(0.15) ? [n, n] : [n]))
      .map((n) => ({ n, at: random.next() }))
      .sort((a, b) => a.at - b.at)
      .map(({ n }) => n);
    if (random.chance(0.3)) this.#todo = chunks;
  }

  get name(): string {
    return this.choices.name;
  }

  get isOver(): boolean {
    return this.#phase === "ended";
  }

  async step(): Promise<void> {
    const { random } = this.#scene;
    if (this.#phase === "new") return this.#create();
    if (this.#aftermath !== undefined) {
      if (await this.#aftermath.step()) this.#phase = "ended";
      return;
    }
    if (random.chance(this.choices.cancel)) return this.#cancel();
    if (random.chance(this.choices.abandon)) {
      this.ended = "abandoned";
      if (this.#opened) this.#scene.book.openAgain(this.name, true);
      this.#phase = "ended";
      return;
    }
    return this.#phase === "receiving" ? this.#receive() : this.#end();
  }

  get #rows(): number {
    return this.choices.file.meaning.rows.length;
  }

  get #mayBeRefused(): boolean {
    return this.choices.file.meaning.full || this.choices.maxErrors < this.#rows;
  }

  async #create(): Promise<void> {
    this.#calls = await ImportCalls.create(this.#scene.caller, this.choices);
    this.#phase = "receiving";
  }

  get #api(): ImportCalls {
    if (this.#calls === undefined) throw new Error("it has not begun");
    return this.#calls;
  }

  async #look(): Promise<ImportJob> {
    this.job = await this.#api.look();
    return this.job;
  }

  async #receive(): Promise<void> {
    const { random } = this.#scene;
    const [some] = this.#done;
    if (some !== undefined && random.chance(0.05)) return this.#putOthers(some);
    const missing = this.choices.file.chunks.map((_, n) => n).filter((n) => !this.#done.has(n));
    if (missing.length > 0 && random.chance(0.05)) return this.#completeEarly(missing);
    if (this.#todo.length === 0) {
      this.#phase = "ending";
      return this.#end();
    }
    const part = this.#todo.splice(0, random.int(1, 3));
    await Promise.all(part.map((n) => this.#putUntilDone(n)));
  }

  async #putUntilDone(n: number): Promise<void> {
    const chunk = this.choices.file.chunks[n];
    if (chunk === undefined) return;
    for (let calls = 0; calls < 60; calls++) {
      const answer = await this.#api.put(n, chunk.bytes, chunk.firstRow);
      if (answer.code === "import-closed") return this.#closedEarly();
      if (answer.status === 200) {
        this.#done.add(n);
        const { rows, state } = JSON.parse(answer.text) as { rows: number; state: string };
        if (rows !== chunk.rows || state !== "done")
          this.#fault(`chunk ${n + 1} has ${chunk.rows} rows, its answer says ${state} with ${rows}`);
        return;
      }
      if (answer.status !== 202) throw new Broken(`chunk ${n + 1} of ${this.name}: ${answer.text}`);
    }
    throw new Broken(`chunk ${n + 1} of ${this.name} is not done after 60 calls`);
  }

  /** Too many errors may stop an import while it receives. */
  async #closedEarly(): Promise<void> {
    const job = await this.#look();
    if (this.ended !== undefined) return;
    if (job.state !== "stopped") return this.#fault(`a chunk was refused, the import is ${job.state}`);
    this.#stopped();
  }

  #stopped(): void {
    const { high } = this.#scene.book.outlook(this.choices.file.meaning, this.name).refused;
    if (this.#refusedRows + high <= this.choices.maxErrors)
      this.#fault(`stopped with at most ${this.#refusedRows + high} errors of ${this.choices.maxErrors}`);
    if (this.#opened) this.#scene.faults.push(...this.#scene.book.refused(this.name));
    this.ended = "stopped";
    this.#phase = "ended";
  }

  get #refusedRows(): number {
    return refusedRows(this.choices.file);
  }

  /** The number of a chunk that is there, with other bytes or another place. */
  async #putOthers(n: number): Promise<void> {
    const chunk = this.choices.file.chunks[n];
    if (chunk === undefined) return;
    const moved = this.#scene.random.chance(0.5);
    const bytes = moved
      ? chunk.bytes
      : Buffer.concat([chunk.bytes, chunk.bytes.subarray(chunk.bytes.indexOf(10) + 1), Buffer.from("{}\n")]);
    const answer = await this.#api.put(n, bytes, moved ? chunk.firstRow + 1 : chunk.firstRow);
    if (answer.code !== "chunk-conflict" && answer.code !== "import-closed")
      this.#fault(`other bytes for chunk ${n + 1} are answered ${answer.status} ${answer.text}`);
  }

  async #completeEarly(missing: readonly number[]): Promise<void> {
    const answer = await this.#api.complete({});
    if (answer.code === "import-closed") return this.#closedEarly();
    const named = answer.errors.map(({ path }) => path).sort();
    const wanted = missing.map((n) => `/chunks/${n + 1}`).sort();
    if (answer.code !== "import-incomplete" || wanted.some((path) => !named.includes(path)))
      this.#fault(`completed without ${wanted.join(" ")}: ${answer.status} ${answer.text}`);
  }

  async #end(): Promise<void> {
    const { random, book } = this.#scene;
    if (!this.#previewed && !this.#opened && random.chance(this.choices.preview)) return this.#preview();
    if (!this.#opened && !this.choices.dryRun) {
      book.open(this.name, this.choices.file.meaning, this.#mayBeRefused);
      this.#opened = true;
    } else if (!this.choices.dryRun) book.openAgain(this.name);
    const confirm = this.#confirm === undefined ? {} : { confirmDeletes: this.#confirm };
    const calls = [this.#api.complete(confirm)];
    if (random.chance(0.1)) calls.push(this.#api.complete(confirm));
    const [answers] = await Promise.all([Promise.all(calls), this.#meanwhile()]);
    // What one of two calls goes on with is not over because the other heard no.
    const [best] = answers.sort((a, b) => a.status - b.status);
    if (best !== undefined && this.ended === undefined) await this.#answered(best);
  }

  /** While it is completed. */
  async #meanwhile(): Promise<void> {
    const { random, interrupt, busy } = this.#scene;
    if (random.chance(busy)) return interrupt();
    if (random.chance(this.choices.cancel)) return this.#cancel();
    if (!random.chance(this.choices.cancelWriting)) return;
    for (let looks = 0; looks < 40; looks++) {
      const { phase } = await this.#api.look();
      if (phase === "writing") return this.#cancel();
      if (phase === "ended" || phase === "receiving") return;
    }
  }

  async #preview(): Promise<void> {
    this.#previewed = true;
    const { book } = this.#scene;
    const { file } = this.choices;
    for (let calls = 0; calls < this.#scene.mostCalls(this.#rows); calls++) {
      const answer = await this.#api.complete({ preview: true });
      if (answer.code === "import-closed") return this.#closedEarly();
      if (answer.status === 202) continue;
      if (answer.code === "too-many-deletes") return;
      if (answer.status !== 200) return this.#fault(`a preview is answered ${answer.status} ${answer.text}`);
      this.job = importJob.parse(JSON.parse(answer.text));
      if (this.job.state !== "open") this.#fault(`after a preview the import is ${this.job.state}`);
      if (book.isCertain) for (const fault of planFaults(this.job, file, book)) this.#fault(fault);
      return;
    }
    this.#fault("a preview does not end");
  }

  async #answered(answer: Answer): Promise<void> {
    if (answer.status === 202) {
      this.#tries++;
      const most = this.#scene.mostCalls(this.#rows);
      if (this.#tries > most)
        throw new Broken(`${this.name} has not ended after ${most} calls: ${answer.text}`);
      // Somebody else may be driving: a client waits as it is told, here a little.
      await sleep(Math.min(1_000, 2 ** Math.min(10, this.#tries / 4)));
    } else if (answer.status === 200) this.#completed(importJob.parse(JSON.parse(answer.text)));
    else if (answer.code === "too-many-deletes") this.#tooMany(answer);
    else if (answer.code === "import-closed") await this.#closedAtEnd();
    else if (answer.code === "import-incomplete")
      throw new Broken(`${this.name} is whole, but: ${answer.text}`);
    else throw new Broken(`${this.name}: ${answer.status} ${answer.text}`);
  }

  async #closedAtEnd(): Promise<void> {
    const { state } = await this.#look();
    if (this.ended !== undefined) return;
    if (state === "stopped") this.#stopped();
    else throw new Broken(`${this.name} may not be completed, it is ${state}`);
  }

  #completed(job: ImportJob): void {
    const { book, faults } = this.#scene;
    this.job = job;
    this.ended = "completed";
    this.#phase = "ended";
    const { dryRun } = this.choices;
    for (const fault of completedFaults(job, this.choices, this.#confirm, book)) this.#fault(fault);
    if (!dryRun) faults.push(...book.completed(this.name));
    this.#lookOn(job);
  }

  #tooMany(answer: Answer): void {
    const { book, faults, random } = this.#scene;
    const { file, maxDeletePercent } = this.choices;
    const number = Number(/confirmDeletes: (\d+)/.exec(answer.detail)?.[1]);
    const { gone, ofSource } = book.outlook(file.meaning, this.name);
    if (!(number >= Math.max(1, gone.low) && number <= gone.high))
      this.#fault(`asks to confirm ${number} deletions, it is ${gone.low} to ${gone.high}: ${answer.detail}`);
    const share = (100 * gone.high) / Math.max(1, ofSource.low);
    if (nameless(file.meaning) === 0 && share <= maxDeletePercent)
      this.#fault(`asks needlessly: ${answer.detail}`);
    if (this.#confirm === number && book.isExact(this.name))
      this.#fault(`asks again for the same number: ${answer.detail}`);
    faults.push(...book.refused(this.name));
    this.#opened = false;
    this.#tries++;
    if (!this.#wrongConfirmed && random.chance(0.3)) {
      this.#wrongConfirmed = true;
      this.#confirm = number + 1;
    } else this.#confirm = number;
  }

  /** It has ended; most are looked at. */
  #lookOn(job: ImportJob): void {
    const { random } = this.#scene;
    if (this.#calls === undefined || !random.chance(Math.max(0.3, this.choices.undone))) return;
    const completed = this.ended === "completed";
    this.#aftermath = new Aftermath(this.choices, this.#scene, this.#calls, { job, completed });
    this.#phase = "looking";
  }

  async #cancel(): Promise<void> {
    const { book, faults } = this.#scene;
    const answer = await this.#api.cancel();
    if (this.ended !== undefined) return;
    if (answer.status === 200) {
      this.job = importJob.parse(JSON.parse(answer.text));
      this.ended = "cancelled";
      this.#phase = "ended";
      if (!this.#opened) return;
      faults.push(...book.cancelled(this.name));
      this.#lookOn(this.job);
      // From now on it writes nothing, whoever was at it.
      for (const fault of book.looked(await this.#scene.held())) this.#fault(`once cancelled: ${fault}`);
      return;
    }
    if (answer.code !== "import-closed") throw new Broken(`${this.name} cannot be cancelled: ${answer.text}`);
    const { state } = await this.#look();
    if (this.ended !== undefined) return;
    if (state === "stopped") this.#stopped();
    else if (state === "completed" && this.#opened && this.job !== undefined) this.#completed(this.job);
    else throw new Broken(`${this.name} cannot be cancelled, it is ${state}`);
  }

  #fault(what: string): void {
    this.#scene.faults.push(`${this.name}: ${what}`);
  }

  /** Once the book is compared with what is stored: do the counts account for it? */
  accounts(): string[] {
    const { ended, name } = this;
    const { job, undone } = this.#aftermath ?? { job: this.job, undone: undefined };
    const { file, dryRun } = this.choices;
    const { book } = this.#scene;
    if (job === undefined || dryRun) return [];
    const faults = ended === "completed" ? countFaults(name, job, file, book) : [];
    if (undone !== undefined && !book.accountsFor(`undo ${name}`, undone))
      faults.push(`its undo says ${JSON.stringify(undone)}, which fits nothing that it can have done`);
    return faults.map((fault) => `${name}: ${fault}`);
  }
}
