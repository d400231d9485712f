import { invalid } from "../faults.ts";

/** The two parts of an upload: its JSON and the file. Bytes of the file are kept as they are. */
export function readMultipart(contentType: string, body: Buffer): { json: string; file: Buffer } {
  const boundary = /boundary="?([^";]+)"?/.exec(contentType)?.[1];
  if (boundary === undefined) throw invalid("An upload needs multipart/related with a boundary");
  const mark = Buffer.from(`--${boundary}`);
  const parts: Buffer[] = [];
  let at = body.indexOf(mark);
  while (at >= 0) {
    const next = body.indexOf(mark, at + mark.length);
    if (next < 0) break;
    const part = body.subarray(at + mark.length, next);
    const head = part.indexOf("\r\n\r\n");
    if (head >= 0) parts.push(part.subarray(head + 4, part.length - 2));
    at = next;
  }
  const [json, file] = parts;
  if (json === undefined || file === undefined)
    throw invalid("An upload needs two parts: JSON, then the file");
  return { json: json.toString("utf8"), file };
}
