import { setTimeout as sleep } from "node:timers/promises";
import { type ImportJob, importJob } from "@proveniq/contracts";
import { Broken } from "./caller.ts";
import type { ImportCalls } from "./calls.ts";
import { reportFaults } from "./checks.ts";
import type { Choices, Scene } from "./scene.ts";

/** After an import's end: look at it in every way, and perhaps take it back. */
export class Aftermath {
  readonly #choices: Choices;
  readonly #scene: Scene;
  readonly #calls: ImportCalls;
  readonly #completed: boolean;
  #asked = false;
  #tries = 0;
  /** As it was told last. */
  job: ImportJob;
  undone: { restored: number; kept: number } | undefined;

  constructor(
    choices: Choices,
    scene: Scene,
    calls: ImportCalls,
    ended: { job: ImportJob; completed: boolean },
  ) {
    this.#choices = choices;
    this.#scene = scene;
    this.#calls = calls;
    this.#completed = ended.completed;
    this.job = ended.job;
  }

  /** Answers whether that was the last step. */
  async step(): Promise<boolean> {
    const { random, book, faults, interrupt, mostCalls } = this.#scene;
    const { name, file, disturbed, undone } = this.#choices;
    if (!this.#asked) {
      await this.#lookAround();
      this.#asked = true;
      if (!this.#isPossible()) {
        if (this.job.undo?.state === "off") await this.#undoInVain();
        return true;
      }
      if (!random.chance(undone)) return true;
      if (random.chance(disturbed)) for (let n = random.int(1, 2); n > 0; n--) await interrupt();
      book.openUndo(`undo ${name}`, name);
    }
    const answer = await this.#calls.undo();
    if (answer.status === 202) {
      if (++this.#tries > mostCalls(file.meaning.rows.length))
        throw new Broken(`the undo of ${name} does not end`);
      await sleep(Math.min(1_000, 2 ** Math.min(10, this.#tries / 4)));
      return false;
    }
    if (answer.status !== 200) throw new Broken(`the undo of ${name}: ${answer.status} ${answer.text}`);
    this.job = importJob.parse(JSON.parse(answer.text));
    const { undo } = this.job;
    if (undo?.state !== "done") this.#fault(`the undo ended as ${JSON.stringify(undo)}`);
    else this.undone = { restored: undo.restored, kept: undo.kept };
    faults.push(...book.completed(`undo ${name}`));
    return true;
  }

  #isPossible(): boolean {
    const { counts, undo } = this.job;
    const { dryRun, undo: asked } = this.#choices;
    const wrote = counts.created + counts.changed + counts.deleted > 0;
    const wanted = asked && !dryRun && wrote ? "possible" : "off";
    // Where only marks of sources moved it may be either.
    const either = asked && !dryRun && !wrote;
    if (undo?.state !== wanted && !either) this.#fault(`its undo is ${undo?.state} instead of ${wanted}`);
    return undo?.state === "possible";
  }

  async #undoInVain(): Promise<void> {
    const answer = await this.#calls.undo();
    if (answer.code !== "undo-impossible")
      this.#fault(`an undo of nothing is answered ${answer.status} ${answer.text}`);
  }

  async #lookAround(): Promise<void> {
    const { random, book } = this.#scene;
    const { dryRun, file, name } = this.#choices;
    const counts = JSON.stringify(this.job.counts);
    this.job = await this.#calls.look();
    if (!this.#completed) return;
    if (JSON.stringify(this.job.counts) !== counts)
      this.#fault(`its counts became ${JSON.stringify(this.job.counts)} after ${counts}`);
    if (random.chance(0.2)) {
      const again = await this.#calls.complete({});
      if (again.status !== 200) this.#fault(`completed again: ${again.status} ${again.text}`);
    }
    const [chunk] = file.chunks;
    if (chunk !== undefined && random.chance(0.2)) {
      const answer = await this.#calls.put(0, chunk.bytes, chunk.firstRow);
      if (answer.status !== 200)
        this.#fault(`a chunk that is done is answered ${answer.status} ${answer.text}`);
    }
    if (dryRun || !book.isExact(name)) return;
    for (const fault of reportFaults(await this.#calls.report(), name, file, book)) this.#fault(fault);
  }

  #fault(what: string): void {
    this.#scene.faults.push(`${this.#choices.name}: ${what}`);
  }
}
