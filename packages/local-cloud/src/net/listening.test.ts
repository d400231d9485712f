import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { describe, expect, it } from "vitest";
import { busyPorts, describeBusy, listeningInodes } from "./listening.ts";

const table = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 111 1 0 100 0 0 10 0
   1: 0100007F:1F90 0100007F:D431 01 00000000:00000000 00:00000000 00000000     0        0 222 1 0 20 4 30 10 -1
   2: 00000000:1F91 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 333 1 0 100 0 0 10 0
`;

describe("ports that others hold", () => {
  it("are read from the system's table: listeners on that port only", () => {
    expect(listeningInodes(table, 8080)).toEqual(["111"]);
    expect(listeningInodes(table, 8081)).toEqual(["333"]);
    expect(listeningInodes(table, 8082)).toEqual([]);
    expect(listeningInodes("", 8080)).toEqual([]);
  });

  it("are found and described; free ones are not", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const [found, ...others] = await busyPorts([port]);
    expect(others).toEqual([]);
    expect(found?.port).toBe(port);
    server.close();
    await once(server, "close");
    expect(await busyPorts([port])).toEqual([]);
  });

  it("are named with their holder when the system tells", () => {
    expect(describeBusy({ port: 8080 })).toBe("port 8080 is in use");
    expect(describeBusy({ port: 8080, holder: { pid: 7, command: "node server.js" } })).toBe(
      "port 8080 is in use by process 7 (node server.js)",
    );
  });
});
