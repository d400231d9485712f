// Written out, because expressions of other languages know no \p, no look-around, and another \s.
const control = "\\u0000-\\u001f\\u007f-\\u009f";
/** What ECMAScript calls space and is no control character. */
const space = " \\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000\\ufeff";

/** Text without control characters. */
export const printable = new RegExp(`^[^${control}]*$`);

/** The same, not empty and without space at either end. */
export const printedAlone = new RegExp(`^[^${control}${space}]([^${control}]*[^${control}${space}])?$`);
