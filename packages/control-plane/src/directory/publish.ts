import {
  type DirectorySnapshot,
  type FleetConfig,
  maxVersionStep,
  messageOf,
  originFaults,
} from "@proveniq/contracts";
import type { Origin, Registry, RegistrySnapshot } from "@proveniq/db/control";
import { z } from "zod";
import type { Manifests } from "../fleet/load.ts";
import { RefusedError } from "../refused.ts";
import { askCells, askedOnce, type WhoIs } from "./ask-cells.ts";
import { buildSnapshot, type Origins } from "./build.ts";
import { changesBetween, type DirectoryChange, faultsOfChange, sizeOf } from "./changes.ts";
import { type DirectoryTarget, UnreadableDirectory } from "./directory-target.ts";
import { limitOf, roomFor } from "./room.ts";

export interface Publication {
  target: DirectoryTarget;
  control: Registry;
  config: Pick<FleetConfig, "zone" | "hosts" | "defaults" | "directory" | "pinnedTenants">;
  manifests: Manifests;
  /**
   * Where cells are now. Asked once the registry was read: if they move meanwhile, whoever publishes that moves the registry's version
   * too, and this publication is drafted again.
   */
  origins: () => Origins | Promise<Origins>;
  origin: Origin;
  /** Asked of every origin before it is published, once. */
  whoIs: WhoIs;
  /** What the routers use now, where they can be asked: what they do not use is published anew, also if the target holds it. */
  used?: () => Promise<UsedDirectory | undefined>;
  /** Cells move from place to place on this machine: an earlier version is published with the places of now. */
  placesMove?: boolean;
  /** The registry has begun anew: what the target holds is replaced without being compared, and no cell is asked. */
  begin?: boolean;
  now?: () => Date;
}

export interface PublishedDirectory {
  snapshot: DirectorySnapshot;
  /** False when the target held all of it already, and nothing was done. */
  published: boolean;
  changes: DirectoryChange[];
  /** What is not as it should be, and was published all the same. */
  warnings: string[];
}

/** What publishing would change at the target, or going back to a kept version, and why that would be refused. */
export interface DirectoryDiff {
  /** The version at the target; null for nothing. */
  present: number | null;
  changes: DirectoryChange[];
  refusals: string[];
  warnings: string[];
  bytes: number;
  /** Null: the target takes what comes. */
  maxBytes: number | null;
}

/** A directory in the making: what is at the target, and what would follow. */
interface Draft {
  from: number;
  present: DirectorySnapshot | undefined;
  /** What the target holds is no directory. */
  unreadable: boolean;
  /** Routers do not use what the target holds, and never will: they believe in a newer version, or another of the same. */
  ignored: boolean;
  next: DirectorySnapshot;
  changes: DirectoryChange[];
  refusals: string[];
  warnings: string[];
}

const attempts = 30;

/** The directory that a router uses, as its /directory tells: `digest` is the SHA-256 of the text that it read. */
export const usedDirectory = z.object({ version: z.int(), digest: z.string().nullable() });
export type UsedDirectory = z.infer<typeof usedDirectory>;

/**
 * Publishes the registry, whole or not at all, under a version greater than any before it. Throws `RefusedError`, and
 * nothing has changed, when a tenant would be dropped or would move without a greater epoch, when hosts collide, when
 * an origin lies outside the fleet's zone, is silent and new, or answers as another cell, or when it is too large.
 */
export async function publishDirectory(publication: Publication): Promise<PublishedDirectory> {
  return carryOut(publication, undefined);
}

/**
 * Publishes the content of an earlier version again, under a new and greater one and with the same checks. Throws
 * `RefusedError` for a version that is not kept, and when a tenant has come or moved since.
 */
export async function rollbackDirectory(
  publication: Publication,
  version: number,
): Promise<PublishedDirectory> {
  return carryOut(publication, version);
}

/** Changes nothing. Without `version`, what `publishDirectory` would do; with it, what `rollbackDirectory` would. */
export async function diffDirectory(publication: Publication, version?: number): Promise<DirectoryDiff> {
  const { present, next, changes, refusals, warnings } = await draftOf(publication, version);
  return {
    present: present?.version ?? null,
    changes,
    refusals,
    warnings,
    bytes: sizeOf(next),
    maxBytes: publication.target.capped ? limitOf(publication.config.directory.maxBytes) : null,
  };
}

async function carryOut(wanted: Publication, version: number | undefined): Promise<PublishedDirectory> {
  const publication = { ...wanted, whoIs: askedOnce(wanted.whoIs) };
  const { control, target, origin, begin = false } = publication;
  for (let n = 0; n < attempts; n += 1) {
    const { from, present, unreadable, ignored, next, changes, refusals, warnings } = await draftOf(
      publication,
      version,
    );
    if (refusals.length > 0)
      throw new RefusedError(`nothing was published to ${target.name}:\n  ${refusals.join("\n  ")}`);
    if (present !== undefined && changes.length === 0 && !begin && !ignored)
      return { snapshot: present, published: false, changes, warnings };
    const recorded = await control.recordPublished(from, next, {
      ...origin,
      at: next.publishedAt,
      action: version === undefined ? "directory.publish" : "directory.rollback",
      target: "directory",
      detail: {
        version: next.version,
        ...(version === undefined ? {} : { contentOf: version }),
        at: target.name,
        changes: changes.length,
      },
    });
    if (recorded) {
      const aside = unreadable ? await target.setAside() : undefined;
      if (aside !== undefined) warnings.push(`what could not be read is kept as ${aside}`);
      return { snapshot: await writeNewest(publication, next), published: true, changes, warnings };
    }
  }
  throw new Error("the registry changes all the time; try again");
}

/** Another may publish between the record and the write: as long as there is a newer one, that is written too. */
async function writeNewest(
  { control, target }: Publication,
  snapshot: DirectorySnapshot,
): Promise<DirectorySnapshot> {
  for (let written = snapshot; ; ) {
    try {
      await target.write(written);
    } catch (error) {
      const reason = messageOf(error);
      throw new Error(
        `version ${written.version} is recorded, but could not be written to ${target.name} (${reason}): publish again`,
        { cause: error },
      );
    }
    const newest = (await control.publishedVersions()).at(-1);
    if (newest === undefined || newest <= written.version) return written;
    const next = await control.published(newest);
    if (next === undefined) return written;
    written = next;
  }
}

async function draftOf(publication: Publication, version: number | undefined): Promise<Draft> {
  const { control, target, config, begin = false } = publication;
  const now = publication.now ?? (() => new Date());
  // What was published first: the registry that is read after it can only be newer.
  const { present, unreadable } = await heldBy(target, begin);
  const last = await control.published((await control.publishedVersions()).at(-1) ?? 0);
  const used = await publication.used?.().catch(() => undefined);
  const registry = await control.snapshot();
  const origins = await publication.origins();
  const kept = version === undefined ? undefined : await keptVersion(control, version);
  const content =
    kept === undefined
      ? buildSnapshot({ ...registry, version: 1 }, config, publication.manifests, origins, now())
      : publication.placesMove === true
        ? placedAt(kept, origins)
        : kept;
  const next: DirectorySnapshot = {
    ...content,
    version: nextVersion(registry.version, present?.version ?? 0, used?.version ?? 0),
    publishedAt: now().toISOString(),
  };
  // What was published is compared, and never what the target holds: anything may have come there.
  const refusals = begin ? [] : faultsOfChange(last, next, registry.removed);
  if (version !== undefined) refusals.push(...hostFaults(next, registry));
  refusals.push(
    ...originFaults(next.topology.cells, { zone: config.zone, loopback: publication.placesMove === true }),
  );
  const room = target.capped ? roomFor(sizeOf(next), config.directory.maxBytes) : {};
  if (room.refusal !== undefined) refusals.push(room.refusal);
  const changes = changesBetween(present, next);
  // No request goes to an origin that is refused already, and none when there is nothing to publish.
  const asks = !begin && refusals.length === 0 && changes.length > 0;
  const told = asks ? await askCells(next, present, publication.whoIs) : { refusals: [], warnings: [] };
  refusals.push(...told.refusals);
  const warnings = [...told.warnings, ...astray(present, last, next)];
  if (room.warning !== undefined) warnings.push(room.warning);
  if (unreadable !== undefined) warnings.push(`what ${target.name} holds cannot be read: ${unreadable}`);
  return {
    from: registry.version,
    present,
    unreadable: unreadable !== undefined,
    ignored: ignores(used, present, target.digest?.()),
    next,
    changes,
    refusals,
    warnings,
  };
}

/** Routers believe no older version, and no second one of the same number. */
function ignores(
  used: UsedDirectory | undefined,
  present: DirectorySnapshot | undefined,
  digest: string | undefined,
): boolean {
  if (used === undefined || present === undefined) return false;
  if (used.version !== present.version) return used.version > present.version;
  return used.digest !== null && digest !== undefined && used.digest !== digest;
}

/** What a target holds; `unreadable`: why that is no directory. */
async function heldBy(
  target: DirectoryTarget,
  begin: boolean,
): Promise<{ present?: DirectorySnapshot | undefined; unreadable?: string }> {
  try {
    return { present: await target.read() };
  } catch (error) {
    if (error instanceof UnreadableDirectory) return { unreadable: error.message };
    if (begin) return {};
    throw error;
  }
}

/** What the target says of tenants that nobody published: it is replaced, and somebody should know that it was there. */
function astray(
  present: DirectorySnapshot | undefined,
  last: DirectorySnapshot | undefined,
  next: DirectorySnapshot,
): string[] {
  if (present === undefined) return [];
  const published = last?.tenants ?? {};
  const wrong = faultsOfChange(present, next).length > 0 ? Object.entries(present.tenants) : [];
  return wrong.flatMap(([id, [cell, epoch]]) => {
    const [was, since] = (Object.hasOwn(published, id) ? published[id] : undefined) ?? [];
    if (was === cell && since === epoch) return [];
    const [now, to] = (Object.hasOwn(next.tenants, id) ? next.tenants[id] : undefined) ?? [];
    if (now === cell && to === epoch) return [];
    return [`the target said cell ${cell}, epoch ${epoch} of tenant ${id}, which was never published so`];
  });
}

/** Beyond what the target holds too, unless no publication can have brought it there: routers do not believe that. */
function nextVersion(registry: number, ...elsewhere: number[]): number {
  return Math.max(registry, ...elsewhere.filter((version) => version <= registry + maxVersionStep)) + 1;
}

async function keptVersion(control: Registry, version: number): Promise<DirectorySnapshot> {
  const kept = await control.published(version);
  if (kept !== undefined) return kept;
  const versions = await control.publishedVersions();
  throw new RefusedError(
    `version ${version} is not kept; there are ${versions.join(", ") || "none: nothing was published yet"}`,
  );
}

/** An earlier version with other places for its cells. */
function placedAt(kept: DirectorySnapshot, origins: Origins): DirectorySnapshot {
  const cells = Object.entries(kept.topology.cells).map(([id, cell]) => [id, { ...cell, ...origins[id] }]);
  return { ...kept, topology: { ...kept.topology, cells: Object.fromEntries(cells) } };
}

/** A host that has been given to another tenant since must not go back to the old one. */
function hostFaults({ tenantHosts }: DirectorySnapshot, { placements }: RegistrySnapshot): string[] {
  const owner = new Map(placements.flatMap((p) => p.hosts.map((host) => [host, p.tenantId])));
  return Object.entries(tenantHosts).flatMap(([host, tenant]) =>
    owner.get(host) === tenant
      ? []
      : [`host ${host} would go to tenant ${tenant}, and the registry says ${owner.get(host) ?? "nobody's"}`],
  );
}
