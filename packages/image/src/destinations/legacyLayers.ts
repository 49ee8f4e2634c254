/**
 * What a docker-archive holds for readers older than Docker 1.10: a directory per layer, with an id that
 * depends on the layers below it, and for the topmost one on the image config.
 *
 * Source: image-spec v1.0 of Docker, and the ids that containers/image gives.
 */
import { type Digest, digestHex, digestOf, sha256Hex } from '@sediment/core';
import { rawMembers } from '../documents/rawMembers.ts';
import type { TarEntryInput } from './tarWriter.ts';

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
    const id = sha256Hex(objectOf(new Map(members).set('layer_id', JSON.stringify(chainID))));
    layers.push({ id, entries: entriesOf(id, diffID, objectOf(members.set('id', JSON.stringify(id)))) });
    parent = id;
  }
  return layers;
}

function entriesOf(id: string, diffID: Digest, json: Buffer): TarEntryInput[] {
  return [
    { name: `${id}/layer.tar`, mode: 0, linkname: `../${digestHex(diffID)}.tar` },
    { name: `${id}/VERSION`, mode: MODE, bytes: Buffer.from('1.0') },
    { name: `${id}/json`, mode: MODE, bytes: json },
  ];
}

/** Values are taken byte by byte, escaped as Go escapes what it embeds. */
function takenOver(config: Uint8Array): [string, string][] {
  const members = rawMembers(Buffer.from(config).toString('latin1'));
  return TAKEN_OVER.map((key) => [key, escapeAsGo(members.get(key) ?? 'null')]);
}

/** U+2028 and U+2029 are three bytes each, and each byte is one character here. */
function escapeAsGo(text: string): string {
  return text.replace(/[<>&]|\xe2\x80[\xa8\xa9]/g, (found) => {
    const code = found.length === 1 ? found.charCodeAt(0) : 0x2000 + found.charCodeAt(2) - 0x80;
    return `\\u${code.toString(16).padStart(4, '0')}`;
  });
}

/** An object of texts in latin1, with sorted keys as Go writes a map. */
function objectOf(members: ReadonlyMap<string, string>): Buffer {
  const keys = [...members.keys()].sort();
  return Buffer.from(`{${keys.map((key) => `"${key}":${members.get(key)}`).join(',')}}`, 'latin1');
}
