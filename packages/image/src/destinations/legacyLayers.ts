/**
 * What a docker-archive holds for readers older than Docker 1.10: a directory per layer, with an id that
 * depends on the layers below it, and for the topmost one on the image config.
 *
 * Source: image-spec v1.0 of Docker, and the ids that containers/image gives.
 */
import { type Digest, digestHex, digestOf, sha256Hex } from '@sediment/core';
import { rawMembers, rawObject } from '../documents/rawJson.ts';
import type { TarEntryInput } from './tarEntryHeader.ts';

export interface LegacyLayer {
  readonly id: string;
  readonly entries: readonly TarEntryInput[];
}

/** What the topmost layer's document takes over from the config; `null` for what that lacks. */
const TAKEN_OVER = [
  'architecture',
  'config',
  'container',
  'container_config',
  'created',
  'docker_version',
  'os',
];
const MODE = 0o444;

/**
 * The legacy form of an image's layers, base first.
 *
 * @param config bytes of the image config, a JSON object
 */
export function legacyLayers(diffIDs: readonly Digest[], config: Uint8Array): LegacyLayer[] {
  const layers: LegacyLayer[] = [];
  let chainID: string | undefined;
  let parent: string | undefined;
  for (const [i, diffID] of diffIDs.entries()) {
    chainID = chainID === undefined ? diffID : digestOf(`${chainID} ${diffID}`);
    const members = new Map(i === diffIDs.length - 1 ? takenOver(config) : []);
    if (parent !== undefined) members.set('parent', JSON.stringify(parent));
    const id = sha256Hex(rawObject(new Map(members).set('layer_id', JSON.stringify(chainID))));
    layers.push({ id, entries: entriesOf(id, diffID, rawObject(members.set('id', JSON.stringify(id)))) });
    parent = id;
  }
  return layers;
}

function entriesOf(id: string, diffID: Digest, json: string): TarEntryInput[] {
  return [
    { name: `${id}/layer.tar`, mode: 0, linkname: `../${digestHex(diffID)}.tar` },
    { name: `${id}/VERSION`, mode: MODE, bytes: Buffer.from('1.0') },
    { name: `${id}/json`, mode: MODE, bytes: Buffer.from(json) },
  ];
}

/** The values are taken as they stand in the config. */
function takenOver(config: Uint8Array): [string, string][] {
  const members = rawMembers(Buffer.from(config).toString());
  return TAKEN_OVER.map((key) => [key, members.get(key) ?? 'null']);
}
