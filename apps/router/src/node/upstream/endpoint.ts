import { connect as connectPlain, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";

/** Where connections of one origin go to. */
export interface Endpoint {
  secure: boolean;
  host: string;
  port: number;
  /** For TLS: offered again, so that most connections need no full handshake. */
  session: Buffer | undefined;
}

/** The endpoint of an origin such as `https://eu-api.cells.proveniq.io`. */
export function endpointOf(origin: string): Endpoint {
  const url = new URL(origin);
  const secure = url.protocol === "https:";
  return { secure, host: url.hostname, port: Number(url.port) || (secure ? 443 : 80), session: undefined };
}

/** One for all: a piece is dealt with before the next is read, on whatever connection. */
const readBuffer = Buffer.allocUnsafeSlow(64 * 1024);

/**
 * Begin to connect; what is written before the connection stands is kept and sent then. A piece handed to `onPiece` is
 * overwritten by the next one: reading into one buffer spares an allocation with every read.
 */
export function openSocket(endpoint: Endpoint, onPiece: (piece: Buffer) => void): Socket {
  const { host, port } = endpoint;
  if (!endpoint.secure) {
    const callback = (length: number) => {
      onPiece(readBuffer.subarray(0, length));
      return true;
    };
    return connectPlain({ host, port, onread: { buffer: readBuffer, callback } });
  }
  const socket = connectTls({
    host,
    port,
    servername: host,
    ALPNProtocols: ["http/1.1"],
    ...(endpoint.session === undefined ? {} : { session: endpoint.session }),
  });
  socket.on("data", onPiece);
  socket.on("session", (session) => {
    endpoint.session = session;
  });
  return socket;
}
