import { createServer } from "node:http";

const body = JSON.stringify({ cell: "any", filler: "x".repeat(500) });
const piece = Buffer.alloc(64 * 1024, "x");
const pieces = 1_024;

/** Eight cells in a process of their own: a little JSON, and under /big 64 MiB, as fast as they are taken. */
for (const port of process.argv.slice(2).map(Number)) {
  const server = createServer((req, res) => {
    if (req.url !== "/big") {
      res.writeHead(200, { "content-type": "application/json", "content-length": body.length });
      res.end(body);
      return;
    }
    res.writeHead(200, { "content-length": pieces * piece.length });
    let sent = 0;
    const more = () => {
      for (let full = false; sent < pieces && !full; sent += 1) full = !res.write(piece);
      if (sent < pieces) res.once("drain", more);
      else res.end();
    };
    more();
  });
  server.keepAliveTimeout = 600_000;
  server.listen(port, "127.0.0.1", 2_048);
}
process.stdout.write("listening\n");
