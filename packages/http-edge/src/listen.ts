import type { Server } from "node:http";
import type { AddressInfo } from "node:net";

/** Listen there (port 0: on any free one); gives the port. Rejects when it cannot be had. */
export function listen(server: Server, port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      const address = server.address() as AddressInfo;
      resolve(address.port);
    });
  });
}
