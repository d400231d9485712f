import type { Random } from "../random.ts";
import { type HuntFile, makeFile, seedFile } from "./files.ts";
import type { Choices } from "./scene.ts";

/** What the imports of a case are and what happens to them. */
export interface Theme {
  /** Processes of bulk that get its calls in turn: 0 does one step in a call, the others as many as it takes. */
  instances: readonly number[];
  things: readonly string[];
  imports: readonly Choices[];
  /** People write before the first import. */
  writes: number;
  /** One import's steps come between another's. */
  overlap: boolean;
  /** Chance that somebody writes, at each step. */
  busy: number;
}

const quiet = {
  dryRun: false,
  maxErrors: 1_000,
  maxDeletePercent: 100,
  undo: true,
  cancel: 0,
  cancelWriting: 0,
  abandon: 0,
  preview: 0,
  undone: 0.6,
  disturbed: 0,
};

/**
 * Half of the cases are of every kind; each of the others aims at one promise that a case of every kind would seldom come to, with no
 * more calls than that takes.
 */
export function makeTheme(random: Random, all: readonly string[]): Theme {
  return random.weighted([
    [10, anything],
    [3, sweep],
    [2, cancel],
    [2, takenBack],
    [3, stepwise],
  ])(random, all);
}

function anything(random: Random, all: readonly string[]): Theme {
  const things = all.slice(0, random.pick([2, 3, 4, 5, all.length]));
  const oneSource = random.chance(0.6);
  const count = random.weighted([
    [4, 1],
    [5, 2],
    [1, 3],
  ]);
  const files: HuntFile[] = [];
  const imports = Array.from({ length: count }, (_, n): Choices => {
    const source = oneSource || n === 0 ? "book" : random.pick(["book", "other"]);
    const full = random.chance(0.4);
    const known = files.at(-1);
    // The file of the night before, once more.
    const file =
      known !== undefined && random.chance(0.25)
        ? { ...known, meaning: { ...known.meaning, source, full } }
        : makeFile(random, things, source, full);
    files.push(file);
    return {
      name: `import ${n + 1}`,
      file,
      dryRun: random.chance(0.06),
      maxErrors: random.chance(0.1) ? random.int(0, 2) : 1_000,
      maxDeletePercent: random.pick([0, 10, 50, 100, 100]),
      undo: random.chance(0.9),
      cancel: random.chance(0.2) ? 0.1 : 0,
      cancelWriting: 0.03,
      abandon: random.chance(0.08) ? 0.1 : 0,
      preview: 0.25,
      undone: 0.6,
      disturbed: 0.2,
    };
  });
  return {
    instances: random.pick([[0], [1], [0, 1]]),
    things,
    imports,
    writes: random.pick([0, 0, 2, 4]),
    overlap: random.chance(0.5),
    busy: random.pick([0, 0, 0.1, 0.3]),
  };
}

/** A book from one file, and then another full one of the same source, which does not name all of it. */
function sweep(random: Random, all: readonly string[]): Theme {
  const things = all.slice(0, random.int(3, 5));
  const first = seedFile(random, things, "book");
  // Rows that name nothing matter where nothing else asks to confirm.
  const nameless = random.chance(0.5);
  const second = makeFile(random, things.slice(0, random.int(1, 2)), "book", true, {
    rows: random.int(1, 4),
    nameless: nameless ? 1 : 0,
  });
  return {
    instances: [1],
    things,
    imports: [
      { ...quiet, name: "import 1", file: first, undone: 0 },
      {
        ...quiet,
        name: "import 2",
        file: second,
        maxDeletePercent: nameless ? 100 : random.pick([0, 50, 100]),
        undone: 0.3,
      },
    ],
    writes: 0,
    overlap: false,
    busy: 0,
  };
}

/** Cancelled while pages are written. */
function cancel(random: Random, all: readonly string[]): Theme {
  const file = seedFile(random, all, "book");
  return {
    // Page after page, so that many are left when it is cancelled.
    instances: [2],
    things: all,
    imports: [{ ...quiet, name: "import 1", file, cancelWriting: 1, undone: 0.3 }],
    writes: random.pick([0, 2]),
    overlap: false,
    busy: 0,
  };
}

/** Undone after somebody changed some of what it did. */
function takenBack(random: Random, all: readonly string[]): Theme {
  const things = all.slice(0, random.int(2, 3));
  const file = makeFile(random, things, "book", random.chance(0.4), { rows: random.int(1, 4) });
  return {
    instances: [1],
    things,
    imports: [{ ...quiet, name: "import 1", file, undone: 1, disturbed: 1 }],
    writes: random.int(0, 3),
    overlap: false,
    busy: 0,
  };
}

/** One step in each call: whatever an earlier call did must be known to the next. */
function stepwise(random: Random, all: readonly string[]): Theme {
  const things = all.slice(0, random.int(4, 6));
  const file = random.chance(0.5)
    ? seedFile(random, things, "book")
    : makeFile(random, things, "book", random.chance(0.5), { rows: random.int(3, 8) });
  return {
    instances: [0],
    things,
    imports: [{ ...quiet, name: "import 1", file, preview: 0.5, dryRun: random.chance(0.1), undone: 0.3 }],
    writes: random.pick([0, 0, 3]),
    overlap: false,
    busy: random.pick([0, 0, 0.1]),
  };
}
