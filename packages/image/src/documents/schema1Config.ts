import { type Digest, goJsonStringify } from '@sediment/core';
import { goTime, ZERO_TIME } from './goTime.ts';
import { rawMembers, rawObject } from './rawJson.ts';
import type { Schema1Manifest, Schema1Step } from './schema1Manifest.ts';
import { reencodeV1Image } from './v1Image.ts';

/** What the configuration of a schema 1 image has and a config has not. */
const DROPPED = ['id', 'parent', 'parent_id', 'layer_id', 'throwaway', 'Size'];

/**
 * The config of an image with a schema 1 manifest, byte for byte as containers/image makes it: its digest is the id
 * of the image there and here. Source: upstream's `image/manifest/docker_schema1.go`, `ToSchema2Config`.
 *
 * @param diffIDs of the layers that are not thrown away, base first
 */
export function schema1Config(
  { steps, v1Compatibility }: Schema1Manifest,
  diffIDs: readonly Digest[],
): Uint8Array {
  const members = rawMembers(reencodeV1Image(v1Compatibility));
  for (const name of DROPPED) members.delete(name);
  members.set(
    'rootfs',
    goJsonStringify({ type: 'layers', ...(diffIDs.length === 0 ? {} : { diff_ids: diffIDs }) }),
  );
  members.set('history', goJsonStringify(steps.map(historyEntry)));
  return new TextEncoder().encode(rawObject(members));
}

function historyEntry({ created, author, createdBy, comment, isThrowaway }: Schema1Step) {
  return {
    created: created === undefined ? ZERO_TIME : goTime(created),
    ...(author === '' ? {} : { author }),
    ...(createdBy === '' ? {} : { created_by: createdBy }),
    ...(comment === '' ? {} : { comment }),
    ...(isThrowaway ? { empty_layer: true } : {}),
  };
}
