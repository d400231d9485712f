import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { connect } from "node:net";
import { expect, it } from "vitest";
import { listen } from "./listen.ts";
import { readAwayAfter, type UnreadLimits } from "./unread.ts";

/** Answers 200 at once, and reads away what is left. */
async function answering(limits: UnreadLimits, close: boolean) {
  const server = createServer((req: IncomingMessage, res: ServerResponse) => {
    if (close) res.setHeader("connection", "close");
    readAwayAfter(req, res, limits);
    readAwayAfter(req, res, limits);
    res.end("early");
  });
  const port = await listen(server, 0, "127.0.0.1");
  const socket = connect({ port, host: "127.0.0.1" });
  const seen = { text: "", error: "" };
  socket.on("data", (piece) => {
    seen.text += String(piece);
  });
  socket.on("error", (error: NodeJS.ErrnoException) => {
    seen.error = error.code ?? "";
  });
  const done = () => {
    socket.destroy();
    server.closeAllConnections();
    server.close();
  };
  return { socket, seen, done };
}

const post = (length: number, more = "") =>
  `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\n${more}\r\n`;
const plenty = { bytes: 1_000_000, ms: 10_000 };
const answers = (text: string) => text.split("early").length - 1;

it("reads the rest of a body away, and then the next request", async () => {
  const { socket, seen, done } = await answering(plenty, false);
  socket.write(`${post(300_000)}${"x".repeat(100_000)}`);
  await expect.poll(() => answers(seen.text)).toBe(1);
  socket.write(`${"x".repeat(200_000)}${post(0)}`);
  await expect.poll(() => answers(seen.text)).toBe(2);
  done();
});

it("ends a connection that was to end only when the body has been read", async () => {
  const { socket, seen, done } = await answering(plenty, true);
  socket.write(`${post(100_000, "Connection: close\r\n")}x`);
  await expect.poll(() => answers(seen.text)).toBe(1);
  socket.write("x".repeat(99_998));
  expect(socket.readyState).toBe("open");
  socket.write("x");
  await once(socket, "close");
  expect(seen.error).toBe("");
  done();
});

it.each([
  ["more than it may be", { bytes: 1_000, ms: 10_000 }, 5_000],
  ["longer than it may take", { bytes: 1_000_000, ms: 100 }, 10],
])("ends the connection of a body that is %s", async (_name, limits, sent) => {
  const { socket, seen, done } = await answering(limits, false);
  socket.write(post(500_000));
  await expect.poll(() => answers(seen.text)).toBe(1);
  socket.write("x".repeat(sent));
  // Node itself would end it after five seconds of silence.
  await once(socket, "close", { signal: AbortSignal.timeout(2_000) });
  done();
});
