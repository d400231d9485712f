import type { Random } from "../random.ts";
import { type Asked, answer, at0, type Maker, whole } from "./answer-bytes.ts";
import { bad, badSuccessor, silent, unsteady } from "./bad-answers.ts";
import { good, plain, slow } from "./good-answers.ts";
import type { CellAnswer } from "./plan.ts";

/** Ways to answer: well, badly, in a way that may cost others of the same cell their connection, and single ones. */
export type AnswerKind = "plain" | "good" | "bad" | "unsteady" | "slow" | "silent" | "successor";

/** How the cell answers. `self` is the cell's id. */
export function makeAnswer(random: Random, asked: Asked, kind: AnswerKind, self: string): CellAnswer {
  const makers: Record<AnswerKind, () => Maker> = {
    plain: () => plain,
    good: () => random.weighted(good),
    bad: () => random.weighted(bad),
    unsteady: () => random.weighted(unsteady),
    slow: () => slow,
    silent: () => silent,
    successor: () => badSuccessor(self),
  };
  return makers[kind]()(random, asked);
}

/** An answer of so many bytes, written at once. */
export function bigAnswer(asked: Asked, bytes: number): CellAnswer {
  return answer("big", { bytes, writes: at0(whole(asked, bytes)) });
}

/** A 421 that names a successor which must be believed: the request is asked there, and its answer is the client's. */
export function move(asked: Asked, to: string): CellAnswer {
  return answer("move", { status: 421, writes: at0(whole(asked, 4, 421, [`x-proveniq-successor: ${to}`])) });
}
