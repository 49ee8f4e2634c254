import { openImageSource } from '../../src/sources/openImageSource.ts';

export interface ReadImage {
  readonly names: readonly string[];
  readonly manifest: string;
  readonly config: string;
  readonly layers: readonly string[];
  readonly signatures: readonly string[];
}

/** All images of a place, as our sources read them; bytes as latin1 text. */
export async function readBack(
  reference: string,
  platform?: { os: string; architecture: string },
): Promise<ReadImage[]> {
  await using source = await openImageSource(reference);
  const images: ReadImage[] = [];
  for (const image of source.images) {
    const { config, layers, manifest, signatures } = await image.open(platform && { platform });
    const contents = [];
    for (const { open } of layers) contents.push(textOf(await collect(open())));
    images.push({
      names: image.names,
      manifest: textOf((await manifest()).bytes),
      config: textOf(config.bytes),
      layers: contents,
      signatures: signatures.map(textOf),
    });
  }
  return images;
}

export function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1');
}

async function collect(bytes: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of bytes) chunks.push(chunk);
  return Buffer.concat(chunks);
}
