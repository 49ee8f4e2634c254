import * as z from 'zod/mini';
import { countSchema, idSchema, textSchema } from './fieldSchemas.ts';
import { defineRecordFormat } from './recordFormat.ts';

/** How often a layer is mounted, and where; an entry of `mountpoints.json`. */
export interface MountpointRecord {
  /** Layer id. */
  readonly id: string;
  /** Absolute path of the mount. */
  readonly path: string;
  /** May be stale after a reboot: ask the kernel before relying on it. */
  readonly count: number;
  /** Keys this version does not know, written back behind the known ones. */
  readonly unknown: Readonly<Record<string, unknown>>;
}

const mountpointSchema = z.object({ id: idSchema, path: textSchema, count: countSchema });

/**
 * `mountpoints.json`. Upstream writes only entries with a path and a count above zero, in the order
 * of the layers; leaving the others out is up to the caller.
 */
export const mountpointFormat = defineRecordFormat<MountpointRecord, z.output<typeof mountpointSchema>>({
  kind: 'mount point',
  schema: mountpointSchema,
  maps: [],
  fromJson: ({ id, path, count }, unknown) => ({ id, path, count, unknown }),
  toJson: ({ id, path, count }) => ({ id, path, count }),
  unknownOf: (record) => record.unknown,
});
