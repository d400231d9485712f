import { setTimeout as sleep } from "node:timers/promises";
import { messageOf } from "@proveniq/contracts";
import type { EmulatedDatabase } from "../emulator/export.ts";
import type { Saved, SavedData } from "./saved.ts";

export interface KeepingOptions {
  saved: SavedData;
  everyMs: number;
  /** All that run. */
  databases: () => readonly EmulatedDatabase[];
  /** Hold what carries data from the databases to the warehouse while both are saved; resolves to what lets it go on. */
  hold: () => () => void;
  note: (text: string) => void;
}

/** What was under way when the sinks were held has reached the databases and the warehouse by then. */
const settledMs = 200;

/** Saves a running fleet's data every few minutes, when somebody asks, and when the fleet stops. */
export class Keeping {
  readonly #options: KeepingOptions;
  readonly #timer: NodeJS.Timeout;
  #saving: Promise<Saved> | undefined;

  constructor(options: KeepingOptions) {
    this.#options = options;
    this.#timer = setInterval(() => {
      this.save().catch((error: unknown) => {
        options.note(`the data could not be saved: ${messageOf(error)}`);
      });
    }, options.everyMs);
    this.#timer.unref();
  }

  /** Save now, or wait for the save that is under way. */
  save(): Promise<Saved> {
    this.#saving ??= this.#save().finally(() => {
      this.#saving = undefined;
    });
    return this.#saving;
  }

  /** Save a last time, once nothing writes any more. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#saving?.catch(() => undefined);
    await this.save();
  }

  async #save(): Promise<Saved> {
    const { saved, databases, hold } = this.#options;
    const goOn = hold();
    try {
      await sleep(settledMs);
      return await saved.save(databases());
    } finally {
      goOn();
    }
  }
}
