import type { Command } from "commander";
import { buildAndPack, packedFolder } from "../cli/artefact.ts";
import { command, shapes } from "../cli/options.ts";
import { ofThisMachine } from "../cli/where.ts";
import { type Output, report } from "../output/print.ts";

/** `fleet pack`: one zip with everything that a cell runs. */
export function packCommand(output: Output): Command {
  return ofThisMachine(
    command("pack", "build the one artefact that every cell runs, as a zip that is the same everywhere", [
      "fleet pack",
      "fleet pack --out /tmp/artefacts --json | jq -r .digest",
    ]),
  )
    .option("--out <folder>", "where to put it: <folder>/<digest>/ (default: .artefacts in the repository)")
    .addHelpText(
      "after",
      "\nThe zip holds API, imports, replicator and sink. Beside it: artefact.json (digest, commit) and sbom.cdx.json (what is" +
        "\nin it, CycloneDX). The same sources and packages give the same bytes, in any folder and on any day.",
    )
    .addHelpText(
      "after",
      shapes('{"folder", "digest", "zip", "zipSha256", "zipBytes", "sbom", "commit", "modified"}'),
    )
    .action(async (options: { out?: string; json?: boolean }) => {
      const packed = await buildAndPack(options.out ?? packedFolder);
      report(output, options.json, packed, () =>
        [
          `artefact ${packed.digest}`,
          `zip      ${packed.zipSha256} (${(packed.zipBytes / 1e6).toFixed(1)} MB)`,
          `commit   ${packed.commit}${packed.modified ? ", and changes that are in no commit" : ""}`,
          `in       ${packed.folder}`,
        ].join("\n"),
      );
    });
}
