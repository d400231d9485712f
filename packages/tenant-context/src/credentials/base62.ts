const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/** Random characters of the alphabet, each equally likely: bytes past the last whole round of 62 are thrown away. */
export function randomBase62(length: number, fill = randomBytes): string {
  let text = "";
  while (text.length < length) {
    for (const byte of fill(length)) {
      if (byte < 248 && text.length < length) text += alphabet.charAt(byte % 62);
    }
  }
  return text;
}

/** CRC-32 (IEEE) of ASCII text as six characters. Finds typing errors; secures nothing. */
export function checksum(text: string): string {
  let crc = 0xffffffff;
  for (let n = 0; n < text.length; n += 1) {
    crc = (table[(crc ^ text.charCodeAt(n)) & 0xff] ?? 0) ^ (crc >>> 8);
  }
  let rest = (crc ^ 0xffffffff) >>> 0;
  let encoded = "";
  for (let n = 0; n < 6; n += 1) {
    encoded = alphabet.charAt(rest % 62) + encoded;
    rest = Math.floor(rest / 62);
  }
  return encoded;
}

const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc;
});

function randomBytes(length: number): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(length));
}
