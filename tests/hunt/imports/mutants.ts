/** A guard that is taken out of the engine of imports, after the faults that earlier engines had. */
export interface Mutant {
  name: string;
  file: string;
  find: string;
  replace: string;
}

const db = (name: string) => `packages/db/src/imports/${name}.ts`;

export const mutants: readonly Mutant[] = [
  {
    name: "pages are written after the import was cancelled",
    file: db("page"),
    find: 'if (now?.phase !== "writing" || now.check !== engine.check) throw new CheckOver();',
    replace: "if (now === undefined || engine.check < 0) throw new CheckOver();",
  },
  {
    name: "rows are applied in the order in which their chunks came",
    file: db("chunks"),
    find: "return chunks.sort((a, b) => a.chunk - b.chunk);",
    replace: "return chunks.sort((a, b) => a.updatedAt.getTime() - b.updatedAt.getTime());",
  },
  {
    name: "nobody is asked about deletions though rows name nothing",
    file: db("complete"),
    find: "share <= input.maxDeletePercent && nameless === 0) return undefined;",
    replace: "share <= input.maxDeletePercent && nameless >= 0) return undefined;",
  },
  {
    name: "deletions are confirmed by any number",
    file: db("complete"),
    find: 'if (input.scope === "partial" || gone === 0 || confirmDeletes === gone) return undefined;',
    replace: 'if (input.scope === "partial" || gone === 0 || confirmDeletes !== undefined) return undefined;',
  },
  {
    name: "a page that met what it did not expect is not written again",
    file: db("page"),
    find: "    return attempt(work, record, page, true);",
    replace: "    return attempt(work, record, { ...page, entries: [] }, true);",
  },
  {
    name: "a preview that took longer than its call begins anew",
    file: db("complete"),
    find: 'if (record.engine.phase !== "writing") return "ended";',
    replace: 'if (record.engine.phase !== "writing") return work.step.over() ? "over" : "ended";',
  },
  {
    name: "a refused row is applied all the same",
    file: db("decide"),
    find: "        refused.push(row);\n        continue;\n",
    replace: "        refused.push(row);\n",
  },
  {
    name: "counts of pages that an earlier call wrote are lost",
    file: db("write"),
    find: "const counts = sumOf(done.map(receiptCounts));",
    replace: "const counts = sumOf(done.slice(1).map(receiptCounts));",
  },
  {
    name: "what earlier calls decided is not looked at",
    file: db("check"),
    find: "const heads = await headsOf(work, record);",
    replace: "const heads = (await headsOf(work, record)).slice(0, 0);",
  },
  {
    name: "an undo puts back what somebody has changed since",
    file: db("undo"),
    find: 'did === "deleted" ? there === undefined : there?.writeId === page.writeId;',
    replace: 'did === "deleted" ? there === undefined : page.writeId !== "" && there !== undefined;',
  },
];
