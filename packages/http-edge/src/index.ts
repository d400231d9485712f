export { type DrainTimes, drainServer } from "./drain.ts";
export { requestIdOf, type Trace, traceOf } from "./ids.ts";
export { LineWriter } from "./line-writer.ts";
export { listen } from "./listen.ts";
export { type ClientError, readClientError } from "./parser-errors.ts";
export { type AnswerIds, answerProblem, problemText } from "./problem-answer.ts";
export { defaultLinger, type LingerLimits, Sockets } from "./sockets.ts";
