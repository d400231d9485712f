import { setTimeout as sleep } from "node:timers/promises";
import type { Board } from "./board.ts";
import { ClientSocket } from "./client-socket.ts";
import { type Ask, type ClientPlan, endsConnection, type Step } from "./plan.ts";
import { type Answer, headerOf } from "./reader.ts";
import { bytesOf } from "./requests.ts";

/** What became of one request of a client that behaves. */
export interface Told {
  ask: Ask;
  answer: Answer | undefined;
  /** `late`: nothing more came, and the connection stands. */
  end: "answered" | "closed" | "late";
  /** Something before it on its connection gave the router reason to close that. */
  excused: boolean;
  /** What was wrong with the bytes. */
  fault: string | undefined;
}

/** How clients reach the router; each lane has an address of its own. */
export interface Door {
  port: number;
  localAddress: string;
  /** The longest that a client waits for the next byte, in milliseconds. */
  patienceMs: number;
}

type Good = Extract<ClientPlan, { kind: "good" }>;
type Hostile = Extract<ClientPlan, { kind: "hostile" }>;

async function writeInPieces(socket: ClientSocket, bytes: Buffer, pieces: number): Promise<void> {
  const size = Math.ceil(bytes.length / pieces);
  for (let at = 0; at < bytes.length; at += size) {
    if (at > 0) await sleep(1);
    if (socket.ended) return;
    socket.write(bytes.subarray(at, at + size));
  }
}

/** Ask everything in turn, or at once; read every answer. */
export async function playGood(door: Door, plan: Good, board: Board): Promise<Told[]> {
  await sleep(plan.startMs);
  return plan.pipelined ? pipeline(door, plan) : inTurn(door, plan, board);
}

async function pipeline(door: Door, { asks, pieces }: Good): Promise<Told[]> {
  const socket = new ClientSocket(door.port, door.localAddress);
  socket.methods.push(...asks.map((a) => a.method));
  void writeInPieces(socket, Buffer.concat(asks.map(bytesOf)), pieces);
  await socket.untilQuiet(
    () => socket.reader.complete >= asks.length || socket.ended || socket.reader.fault !== undefined,
    door.patienceMs,
  );
  const { answers, fault } = socket.reader;
  // Where the router closes in the middle, the kernel may throw away what it had sent: nobody can say what had to arrive.
  const announced = answers.slice(0, asks.length - 1).some((a) => headerOf(a, "connection") === "close");
  const excused = announced || asks.slice(0, -1).some(endsConnection);
  const told = asks.map((ask, n): Told => {
    const answer = answers[n];
    const end = answer?.complete === true ? "answered" : socket.ended ? "closed" : "late";
    return { ask, answer, end, excused, fault: n === answers.length - 1 ? fault : undefined };
  });
  socket.rst();
  return told;
}

async function inTurn(door: Door, { asks, pieces, gapMs }: Good, board: Board): Promise<Told[]> {
  const told: Told[] = [];
  let socket: ClientSocket | undefined;
  let excused = false;
  for (const ask of asks) {
    let one: Told | undefined;
    for (let attempt = 0; attempt < 2; attempt += 1) {
      const fresh = socket === undefined || socket.ended;
      if (socket === undefined || socket.ended) {
        socket = new ClientSocket(door.port, door.localAddress);
        excused = false;
      }
      one = await askOn(socket, ask, pieces, door.patienceMs, excused);
      // As any client does: a connection that was closed meanwhile is no answer, and nobody has seen the request.
      const again = !fresh && excused && one.end === "closed" && one.answer === undefined;
      if (!again || board.seen.has(ask.id)) break;
    }
    if (one !== undefined) told.push(one);
    excused ||= endsConnection(ask);
    if (one?.end === "answered" && saysClose(one))
      await socket?.until(() => socket?.ended === true, door.patienceMs);
    if (one?.end !== "answered" || one.fault !== undefined || saysClose(one)) {
      socket?.rst();
      socket = undefined;
    } else if (gapMs > 0) await sleep(gapMs);
  }
  socket?.rst();
  return told;
}

/** The connection ends with this answer: who asks on it once more is to blame. */
function saysClose({ ask, answer }: Told): boolean {
  return ask.http10 || ask.close || (answer !== undefined && headerOf(answer, "connection") === "close");
}

async function askOn(
  socket: ClientSocket,
  ask: Ask,
  pieces: number,
  patienceMs: number,
  excused: boolean,
): Promise<Told> {
  const { reader } = socket;
  const n = socket.methods.push(ask.method) - 1;
  const written = writeInPieces(socket, bytesOf(ask), pieces);
  await socket.untilQuiet(
    () => reader.complete > n || socket.ended || reader.fault !== undefined,
    patienceMs,
  );
  // An early answer does not end the request.
  await written;
  const answer = reader.answers[n];
  const end = answer?.complete === true ? "answered" : socket.ended ? "closed" : "late";
  return { ask, answer, end, excused, fault: reader.fault };
}

/** Play the steps; gives the answers that came. */
export async function playHostile(
  door: Door,
  plan: Hostile,
  board: Board,
): Promise<{ answers: Answer[]; fault: string | undefined; whole: number }> {
  await sleep(plan.startMs);
  const socket = new ClientSocket(door.port, door.localAddress);
  socket.methods.push(...plan.asks.map((a) => a.method));
  for (const step of plan.steps) await play(socket, step, board);
  socket.rst();
  return { answers: socket.reader.answers, fault: socket.reader.fault, whole: wholeOf(plan) };
}

/** How many of its requests the steps write in full. */
function wholeOf({ asks, steps }: Hostile): number {
  let left = steps.reduce((sum, step) => sum + (step.do === "write" ? step.bytes.length : 0), 0);
  return asks.filter((ask) => {
    left -= bytesOf(ask).length;
    return left >= 0;
  }).length;
}

async function play(socket: ClientSocket, step: Step, board: Board): Promise<void> {
  switch (step.do) {
    case "write":
      return socket.write(step.bytes);
    case "wait":
      return step.ms > 0 ? sleep(step.ms) : undefined;
    case "answers":
      await socket.until(() => socket.reader.answers.length >= step.count || socket.ended, 400);
      return;
    case "pause":
      return socket.pause();
    case "sip":
      return socket.sip(step.bytes);
    case "read":
      return socket.sip(Number.POSITIVE_INFINITY);
    case "until-arrived":
      await watched(board, () => board.seen.has(step.id) || socket.ended, 400);
      return;
    case "until-reused": {
      const bites = step.sip > 0 ? setInterval(() => socket.sip(step.sip), 2) : undefined;
      await watched(board, () => board.reused(step.id) || socket.ended, 400);
      clearInterval(bites);
      return;
    }
    case "fin":
      return socket.fin();
    case "rst":
      return socket.rst();
    case "hold":
      await watched(board, () => board.over || socket.ended, 30_000);
  }
}

function watched(board: Board, reached: () => boolean, ms: number): Promise<void> {
  if (reached()) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      end();
      resolve();
    };
    const end = board.watch(() => {
      if (reached()) done();
    });
    const timer = setTimeout(done, ms);
  });
}
