import type { Route } from "../routes/route.ts";
import { buildDocument } from "./document.ts";
import { renderPage } from "./page.ts";

/** The document and its page, as text. Loaded with the first request for one of them: no start pays for it. */
export function renderDocuments(routes: readonly Route[]): { json: string; page: string } {
  const document = buildDocument(routes);
  return { json: JSON.stringify(document), page: renderPage(document) };
}
