import { type CellManifest, knownIssuers, type ManifestIssuer } from "@proveniq/contracts";

/** How an issuer of a cell stands to the cell's residency. */
export interface IssuerVerdict {
  /** Why the issuer breaks the promise; null when it does not. */
  breach: string | null;
  /** The exemption by which it is trusted all the same, as one line; null without one. */
  exemption: string | null;
}

/** Judge one issuer of a cell on a day (UTC, YYYY-MM-DD). Pure. */
export function judgeIssuer(
  issuer: ManifestIssuer,
  { residency }: Pick<CellManifest, "residency">,
  today: string,
): IssuerVerdict {
  const { jurisdiction, exemption } = issuer;
  const known = knownIssuers.find(
    (k) => issuer.issuer.startsWith(k.begins) || issuer.jwks.startsWith(k.begins),
  );
  const no = (breach: string): IssuerVerdict => ({ breach, exemption: null });
  if (jurisdiction === undefined) return no("its manifest does not say where it processes: add jurisdiction");
  if (known !== undefined && known.jurisdiction !== jurisdiction) {
    return no(`its manifest says "${jurisdiction}", and ${known.name} processes in "${known.jurisdiction}"`);
  }
  if (residency === "global" || jurisdiction === residency) return { breach: null, exemption: null };
  const why = `${known?.name ?? "it"} processes in "${jurisdiction}", and the promise is "${residency}"`;
  if (exemption === undefined) return no(why);
  if (exemption.until < today)
    return no(`${why}; the exemption ${exemption.name} ended on ${exemption.until}`);
  return {
    breach: null,
    exemption: `exempted by ${exemption.name} until ${exemption.until}: ${exemption.reason}`,
  };
}

/** What keeps a cell's issuers from its residency; a sentence each, empty when nothing does. */
export function identityFaults(id: string, manifest: CellManifest, today: string): string[] {
  return manifest.issuers.flatMap((issuer, n) => {
    const { breach } = judgeIssuer(issuer, manifest, today);
    return breach === null ? [] : [`cells/${id}/cell.json, issuers[${n}]: ${issuer.issuer}: ${breach}`];
  });
}

/** UTC day of a moment. */
export const dayOf = (now: Date): string => now.toISOString().slice(0, 10);
