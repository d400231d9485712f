import { type CsvFormat } from "@proveniq/contracts";
import { type ScanOptions } from "@proveniq/rows";
/** A partner's file, as far as its first line tells. */
export interface SourceFile {
  path: string;
  bytes: number;
  modifiedAt: string;
  encoding: string;
  /** CSV: its columns, and how records are found. */
  csv?: {
    delimiter: CsvFormat["delimiter"];
    columns: string[];
    scan: ScanOptions;
  };
}
export interface SourceOptions {
  format: "csv" | "ndjson";
  delimiter?: CsvFormat["delimiter"];
  encoding: string;
}
/** One record of a file: its bytes with the line end. */
export interface FileRecord {
  bytes: Buffer;
  /** True for a line without content, which is no row. */
  empty: boolean;
}
/** Open a file and read its header. Throws CommandError with what to do about it. */
export declare function openSource(path: string, options: SourceOptions): Promise<SourceFile>;
/** Every record after the header, in UTF-8. Holds no more of the file than one record and one read. */
export declare function recordsOf(source: SourceFile): AsyncGenerator<FileRecord>;
/** Throws with what to do when some rows of a file are not UTF-8. */
export declare function requireUtf8(bytes: Buffer, firstRow: number, path: string): void;
