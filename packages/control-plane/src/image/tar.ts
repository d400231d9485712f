/** A file of an image: its bytes, and whether it is run. */
export interface ImageFile {
  bytes: Uint8Array;
  executable?: boolean;
}

const block = 512;

/**
 * A POSIX tar (ustar, https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html) of these files by path, and of the
 * folders above them: sorted, owned by root, writable by nobody, of no time. The same files give the same bytes. Throws for a path
 * that is not plain, or longer than 100 bytes.
 */
export function tarOf(files: ReadonlyMap<string, ImageFile>): Uint8Array {
  const folders = new Set([...files.keys()].flatMap(above));
  const names = [...folders, ...files.keys()].sort((a, b) => (a < b ? -1 : 1));
  const parts = names.flatMap((name) => {
    const file = files.get(name);
    if (file === undefined) return [header(name, 0, 0o755, "5")];
    const rest = (block - (file.bytes.length % block)) % block;
    const mode = file.executable === true ? 0o555 : 0o444;
    return [header(name, file.bytes.length, mode, "0"), file.bytes, Buffer.alloc(rest)];
  });
  return Buffer.concat([...parts, Buffer.alloc(2 * block)]);
}

function above(path: string): string[] {
  const parts = path.split("/");
  return parts.slice(1).map((_, n) => `${parts.slice(0, n + 1).join("/")}/`);
}

function header(name: string, size: number, mode: number, type: "0" | "5"): Buffer {
  if (Buffer.byteLength(name) > 100 || /^\/|\\|\0|(^|\/)\.{0,2}(\/|$)/.test(name.replace(/\/$/, "")))
    throw new Error(`a path of an image is relative, plain and at most 100 bytes: ${name}`);
  const head = Buffer.alloc(block);
  const octal = (n: number, width: number) => `${n.toString(8).padStart(width - 1, "0")}\0`;
  head.write(name, 0);
  head.write(octal(mode, 8), 100);
  head.write(octal(0, 8), 108);
  head.write(octal(0, 8), 116);
  head.write(octal(size, 12), 124);
  head.write(octal(0, 12), 136);
  head.write(" ".repeat(8), 148);
  head.write(type, 156);
  head.write("ustar\u000000", 257, "latin1");
  const sum = head.reduce((all, byte) => all + byte, 0);
  head.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return head;
}
