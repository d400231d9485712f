export { type Cell, headerCells } from "./cells.ts";
export { bomLength, type Chunk, type ChunkRow, chunkReader, columnNameOf, unnamedColumn } from "./chunk.ts";
export { neutralised, restored } from "./formulas.ts";
export { compileMapping, type ImportedItem, type MappedRow, type RowMapper } from "./mapper.ts";
export { csvReportHeader, csvReportLine, jsonReportLine } from "./report.ts";
export { lineEndOf, type ScanOptions, type Span, scanLine, scanRecord } from "./spans.ts";
export { firstBadByte } from "./utf8.ts";
