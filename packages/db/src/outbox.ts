export { decodePage, encodePage } from "./outbox/page.ts";
export { readOutbox } from "./outbox/read.ts";
