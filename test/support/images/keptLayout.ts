import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { sha256 } from '../imageArchive.ts';
import type { StoreRoot } from '../storeRoot.ts';

interface Descriptor {
  mediaType: string;
  digest: string;
  size: number;
  annotations?: Record<string, string>;
}

interface Document {
  manifests?: Descriptor[];
  config?: Descriptor;
  layers?: Descriptor[];
}

/** Where a store keeps blobs as they came. */
export function keptLayout({ graphRoot }: StoreRoot): string {
  return join(graphRoot, 'sediment/oci');
}

/** Names of the blobs that a layout holds, sorted. */
export function blobsOf(layout: string): string[] {
  const directory = join(layout, 'blobs/sha256');
  return existsSync(directory) ? readdirSync(directory).sort() : [];
}

/** The entries of a layout's index.json. */
export function entriesOf(layout: string): Descriptor[] {
  return (JSON.parse(readFileSync(join(layout, 'index.json'), 'utf8')) as Document).manifests ?? [];
}

/**
 * What is wrong with an OCI image layout: with its marker and index, with blobs that are named and missing or of
 * another size, and with blobs that are not what their name says.
 *
 * @param instances `some`: manifests that an index names may be missing, as where one platform was copied
 * @returns one line per defect, and one for each blob that nothing names
 */
export function layoutDefects(layout: string, instances: 'all' | 'some' = 'some'): string[] {
  const marker = JSON.parse(readFileSync(join(layout, 'oci-layout'), 'utf8'));
  const blobs = blobsOf(layout);
  const named = new Set<string>();
  const defects = blobs
    .filter((hex) => sha256(readFileSync(join(layout, 'blobs/sha256', hex))) !== hex)
    .map((hex) => `blob ${hex} has other bytes`);
  const visit = ({ digest, size, mediaType }: Descriptor, mayMiss: boolean): void => {
    const hex = digest.replace('sha256:', '');
    const path = join(layout, 'blobs/sha256', hex);
    named.add(hex);
    if (!existsSync(path)) {
      if (!mayMiss) defects.push(`${mediaType} ${digest} is missing`);
      return;
    }
    if (statSync(path).size !== size) defects.push(`${mediaType} ${digest} has not ${size} bytes`);
    if (!/manifest|index/.test(mediaType)) return;
    const { manifests = [], config, layers = [] } = JSON.parse(readFileSync(path, 'utf8')) as Document;
    for (const each of manifests) visit(each, instances === 'some');
    for (const each of [...(config === undefined ? [] : [config]), ...layers]) visit(each, false);
  };
  for (const each of entriesOf(layout)) visit(each, false);
  return [
    ...(marker.imageLayoutVersion === '1.0.0' ? [] : [`oci-layout says ${JSON.stringify(marker)}`]),
    ...defects,
    ...blobs.filter((hex) => !named.has(hex)).map((hex) => `nothing names blob ${hex}`),
    ...readdirSync(layout)
      .filter((name) => !['oci-layout', 'index.json', 'blobs'].includes(name))
      .map((name) => `${name} is no part of a layout`),
  ];
}
