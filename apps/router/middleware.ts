// Where Vercel looks for middleware. Everything is routed: nothing is served from here.
export { default } from "./src/edge/vercel.ts";

export const config = { matcher: "/(.*)" };
