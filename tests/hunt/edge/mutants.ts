/** Bugs that the router had, or that somebody could write tomorrow, put back by some edits of its sources. */
export interface Mutant {
  name: string;
  edits: readonly { file: string; find: string; replace: string }[];
}

const node = "apps/router/src/node";
const exchange = `${node}/exchange.ts`;
const connection = `${node}/upstream/connection.ts`;

export const mutants: readonly Mutant[] = [
  {
    name: "a socket that HTTP has let go of is without a listener: its reset ends the process",
    edits: [
      {
        file: "packages/http-edge/src/sockets.ts",
        find: '    socket.on("error", () => undefined);\n',
        replace: "",
      },
    ],
  },
  {
    name: "who has had an answer still owns the connection, and ends it under whom it serves by then",
    edits: [
      { file: `${node}/upstream/call.ts`, find: "    this.#connection = undefined;\n", replace: "" },
      {
        file: connection,
        find: "    if (call !== this.#call) return;\n    this.#letGo();",
        replace: "    this.#letGo();",
      },
      {
        file: exchange,
        find: "    this.#call = undefined;\n    this.#answer.end();",
        replace: "    this.#answer.end();",
      },
      {
        file: exchange,
        find: "    this.#call?.abort();\n    if (!this.#answer.written && ",
        replace: "    if (!this.#answer.written) this.#call?.abort();\n    if (!this.#answer.written && ",
      },
    ],
  },
  {
    name: "an odd byte in a cell's head is passed on, and what throws then ends the process",
    edits: [
      {
        file: `${node}/upstream/response-head.ts`,
        find: "if (controls.test(text)) return undefined;",
        replace: "",
      },
      {
        file: connection,
        find: "    try {\n      work();\n    } catch (error) {",
        replace: "    work();\n    try {\n    } catch (error) {",
      },
    ],
  },
  {
    name: "an odd byte in a cell's head is a fault of the router's",
    edits: [
      {
        file: `${node}/upstream/response-head.ts`,
        find: "if (controls.test(text)) return undefined;",
        replace: "",
      },
    ],
  },
  {
    name: "a connection is used again although its request's body never came in full",
    edits: [
      {
        file: connection,
        find: "if (closes || head?.reusable !== true || !call.sent)",
        replace: "if (closes || head?.reusable !== true)",
      },
    ],
  },
  {
    name: "what changes something is sent a second time",
    edits: [{ file: exchange, find: "isSafe(method) && ", replace: "" }],
  },
  {
    name: "HTTP/1.0 is told to continue",
    edits: [
      {
        file: "apps/router/src/request-head.ts",
        find: "head.expectsContinue = http11;",
        replace: "head.expectsContinue = true;",
      },
    ],
  },
  {
    name: "a request is logged twice",
    edits: [
      {
        file: exchange,
        find: "    if (this.#ended) return;\n    this.#ended = true;\n",
        replace: "    this.#ended = true;\n",
      },
    ],
  },
];
