import type { IdMappings, Owner } from '../idmaps/idMappings.ts';

/**
 * Who owns what a driver makes for a layer: root of the container by its maps, else this process.
 *
 * @throws {StorageError} `ID_UNMAPPED` for maps without root
 */
export function layerOwner(idMaps: IdMappings | undefined): Owner {
  if (idMaps !== undefined && !idMaps.isEmpty) return idMaps.rootPair();
  return { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 };
}
