import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { digestOf } from '@sediment/core';
import { expect } from 'vitest';

interface Descriptor {
  readonly digest: string;
  readonly size: number;
}

/**
 * Whether the kept layout is valid, as the specification has it: version and list of images can be read, every blob has
 * its digest, and all that the list refers to is there.
 */
export function expectValidLayout(graphRoot: string, context = ''): void {
  const layout = join(graphRoot, 'sediment', 'oci');
  if (!existsSync(layout)) return;
  const read = (...parts: string[]) => readFileSync(join(layout, ...parts));
  expect(readdirSync(layout).sort(), context).toEqual(['blobs', 'index.json', 'oci-layout']);
  expect(JSON.parse(String(read('oci-layout'))), context).toEqual({ imageLayoutVersion: '1.0.0' });
  const blobs = readdirSync(join(layout, 'blobs', 'sha256'));
  for (const hex of blobs) expect(digestOf(read('blobs', 'sha256', hex)), context).toBe(`sha256:${hex}`);
  const visit = ({ digest, size }: Descriptor): void => {
    const hex = digest.slice('sha256:'.length);
    expect(blobs, context).toContain(hex);
    const bytes = read('blobs', 'sha256', hex);
    expect(bytes.length, context).toBe(size);
    const { config, layers = [], manifests = [] } = linksOf(bytes);
    for (const each of [...(config === undefined ? [] : [config]), ...layers, ...manifests]) visit(each);
  };
  for (const entry of linksOf(read('index.json')).manifests ?? []) visit(entry);
}

function linksOf(bytes: Buffer): { config?: Descriptor; layers?: Descriptor[]; manifests?: Descriptor[] } {
  if (bytes[0] !== 0x7b) return {};
  const { config, layers, manifests } = JSON.parse(String(bytes));
  return { ...(config?.digest === undefined ? {} : { config }), layers, manifests };
}
