import type { ArtefactRef, BundledPackage } from "@proveniq/contracts";

/**
 * What is in an artefact, as a CycloneDX 1.6 document (https://cyclonedx.org/docs/1.6/json/): the packages whose code the
 * bundle holds, and those that the platform installs. Made of the artefact alone: no clock, no machine.
 */
export function sbomOf({ digest, commit }: ArtefactRef, packages: readonly BundledPackage[]): string {
  const id = digest.slice(0, 32);
  // RFC 9562, version 8: sixteen bytes of our own choice.
  const serial = `${id.slice(0, 8)}-${id.slice(8, 12)}-8${id.slice(13, 16)}-a${id.slice(17, 20)}-${id.slice(20)}`;
  const document = {
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    serialNumber: `urn:uuid:${serial}`,
    version: 1,
    metadata: {
      component: {
        type: "application",
        name: "proveniq-cell",
        version: commit,
        hashes: [{ alg: "SHA-256", content: digest }],
      },
    },
    components: packages
      .toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))
      .map(({ name, version, license, bundled }) => ({
        type: "library",
        "bom-ref": purlOf(name, version),
        name,
        version,
        purl: purlOf(name, version),
        ...(license === undefined ? {} : { licenses: [{ expression: license }] }),
        properties: [{ name: "proveniq:bundled", value: String(bundled) }],
      })),
  };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}

const keyOf = ({ name, version }: BundledPackage) => `${name}@${version}`;

/** https://github.com/package-url/purl-spec: the `@` of a scope is percent-encoded. */
const purlOf = (name: string, version: string) => `pkg:npm/${name.replace("@", "%40")}@${version}`;
