import { problem } from "@proveniq/contracts";
import type { Board } from "./board.ts";
import type { Told } from "./clients.ts";
import { type Ask, bodyOf } from "./plan.ts";
import { type Answer, headerOf } from "./reader.ts";
import type { LogLine } from "./router.ts";

/** What is wrong with an answer that should be the cell's own, whole; undefined when it is right. */
function notOwn({ id, answer: plan }: Ask, answer: Answer): string | undefined {
  const status = plan.name === "move" ? 200 : plan.status;
  const bytes = plan.name === "move" ? 4 : plan.bytes;
  const own = headerOf(answer, "x-own");
  if (own === undefined)
    return `the router answered: ${answer.status} ${answer.body.toString().slice(0, 300)}`;
  if (own !== id) return `the answer is of ${own}`;
  if (answer.status !== status) return `status ${answer.status} instead of ${status}`;
  if (!answer.complete) return `only ${answer.body.length} bytes of the body came`;
  if (!answer.body.equals(bodyOf(id, bytes))) return `another body (${answer.body.length} of ${bytes} bytes)`;
  return undefined;
}

/** What is wrong with an answer that should be a problem of the router's own. */
function notProblem({ method }: Ask, answer: Answer): string | undefined {
  if (!answer.complete) return "the problem is not whole";
  if (headerOf(answer, "content-type") !== "application/problem+json")
    return `neither the answer nor a problem (${answer.status}, of ${headerOf(answer, "x-own") ?? "nobody"})`;
  if (method === "HEAD") return answer.status >= 500 ? undefined : `a problem of status ${answer.status}`;
  let document: unknown;
  try {
    document = JSON.parse(answer.body.toString());
  } catch {
    return "the problem is no JSON";
  }
  const parsed = problem.safeParse(document);
  if (!parsed.success) return `the problem is none: ${answer.body.toString().slice(0, 200)}`;
  if (parsed.data.status !== answer.status) return "the problem has another status";
  if (parsed.data.code === "internal-error") return "a fault of the router's";
  return answer.status >= 500 ? undefined : `the problem is ${answer.status} ${parsed.data.code}`;
}

function notCut(ask: Ask, answer: Answer, end: Told["end"]): string | undefined {
  const { id, answer: plan } = ask;
  if (headerOf(answer, "x-own") !== id) return notProblem(ask, answer);
  if (answer.complete) return "the answer broke off at the cell and is whole for the client";
  if (end === "late") return "the answer broke off at the cell, and the client was not told";
  const own = bodyOf(id, Math.max(plan.bytes, answer.body.length));
  return answer.body.equals(own.subarray(0, answer.body.length))
    ? undefined
    : "the part that came is another's";
}

/**
 * What did not hold for a client that behaves; undefined when all did. `unsteady`: the cell breaks its word about
 * connections, so that a problem is right too.
 */
export function judge(told: Told, unsteady: boolean): string | undefined {
  const { ask, answer, end, excused, fault } = told;
  const wrong = verdict(told, unsteady);
  if (fault !== undefined) return `${nameOf(ask)}: the router wrote ${fault}`;
  if (wrong !== undefined) return `${nameOf(ask)}: ${wrong}`;
  if (answer === undefined) return undefined;
  if (headerOf(answer, "x-request-id") !== ask.id)
    return `${nameOf(ask)}: another request's id (${headerOf(answer, "x-request-id")})`;
  if (headersThatLeak(answer) !== undefined) return `${nameOf(ask)}: ${headersThatLeak(answer)}`;
  if (ask.http10 && answer.interim.length > 0) return `${nameOf(ask)}: HTTP/1.0 was told to continue`;
  if (ask.http10 && headerOf(answer, "transfer-encoding") !== undefined)
    return `${nameOf(ask)}: HTTP/1.0 got chunks`;
  return end === "late" && !excused ? `${nameOf(ask)}: the answer did not end in time` : undefined;
}

function verdict({ ask, answer, end, excused }: Told, unsteady: boolean): string | undefined {
  const { right } = ask.answer;
  if (answer === undefined) {
    if (end === "late") return "no answer came, and the connection stands";
    // Of an answer that broke off, its head may not have been sent either.
    return excused || right === "cut" || right === "any"
      ? undefined
      : "the connection was closed without an answer";
  }
  const differs = notOwn(ask, answer);
  const own = differs !== undefined && end === "late" ? `${differs}, and then no more` : differs;
  if (right === "own")
    return own === undefined || (unsteady && notProblem(ask, answer) === undefined) ? undefined : own;
  if (right === "problem") return notProblem(ask, answer);
  if (right === "any" && own === undefined) return undefined;
  return notCut(ask, answer, end);
}

const nameOf = (ask: Ask) => `${ask.id} (${ask.method}, ${ask.answer.name})`;

function headersThatLeak({ headers }: Answer): string | undefined {
  const leak = headers.find((name, n) => n % 2 === 0 && name.startsWith("x-proveniq-"));
  return leak === undefined ? undefined : `${leak} reached a client`;
}

/**
 * What did not hold for one that does not behave: answers come in the order of its requests, each with its own. `whole`: so
 * many of them it has sent in full.
 */
export function judgeHostile(
  asks: readonly Ask[],
  whole: number,
  answers: readonly Answer[],
  fault: string | undefined,
): string[] {
  const wrong = fault === undefined ? [] : [`to a hostile client the router wrote ${fault}`];
  for (const [n, answer] of answers.entries()) {
    const ask = asks[n];
    const own = headerOf(answer, "x-own");
    if (own !== undefined && own !== ask?.id)
      wrong.push(`${own}: its answer went to somebody who asked ${ask?.id ?? "nothing"}`);
    else if (ask === undefined || n >= whole) continue;
    else if (headerOf(answer, "x-request-id") !== ask.id)
      wrong.push(`${nameOf(ask)}: before its answer came that to another request (${answer.status})`);
    else if (
      own !== undefined &&
      answer.complete &&
      ask.answer.right === "own" &&
      notOwn(ask, answer) !== undefined
    )
      wrong.push(`${nameOf(ask)}: ${notOwn(ask, answer)}`);
    if (ask?.http10 === true && answer.interim.length > 0)
      wrong.push(`${nameOf(ask)}: HTTP/1.0 was told to continue`);
    const leak = headersThatLeak(answer);
    if (leak !== undefined) wrong.push(`${own ?? "an answer"}: ${leak}`);
  }
  return wrong;
}

/** Nobody but a tenant that moved is asked twice, unless nothing is changed by asking. */
export function askedTwice(board: Board): string[] {
  const wrong: string[] = [];
  for (const [id, seen] of board.seen) {
    const ask = board.asks.get(id);
    if (ask === undefined || ask.answer.name === "move") continue;
    const most = ask.method === "GET" || ask.method === "HEAD" ? 2 : 1;
    if (seen.length > most) wrong.push(`${nameOf(ask)}: reached the cell ${seen.length} times`);
  }
  return wrong;
}

/** Requests whose log line is missing, or there more than once, or says another status than the client saw. */
export function judgeLog(
  lines: ReadonlyMap<string, LogLine>,
  board: Board,
  told: readonly Told[],
  others: readonly Answer[],
): string[] {
  const wrong: string[] = [];
  const due = new Set(board.seen.keys());
  for (const { answer } of told) {
    const id = answer === undefined ? undefined : headerOf(answer, "x-request-id");
    if (id !== undefined) due.add(id);
    const line = id === undefined ? undefined : lines.get(id);
    if (answer?.complete === true && line !== undefined && line.status !== answer.status)
      wrong.push(`${id}: the log says ${line.status}, the client saw ${answer.status}`);
  }
  for (const answer of others) {
    const id = headerOf(answer, "x-request-id");
    if (id === undefined) wrong.push(`an answer without a request id (${answer.status})`);
    else due.add(id);
  }
  for (const id of due) {
    const count = lines.get(id)?.count ?? 0;
    if (count === 0) wrong.push(`${id}: no log line`);
  }
  for (const id of [...board.asks.keys(), ...due]) {
    const count = lines.get(id)?.count ?? 0;
    if (count > 1) wrong.push(`${id}: ${count} log lines`);
  }
  return [...new Set(wrong)];
}
