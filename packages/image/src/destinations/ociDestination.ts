import type { Digest } from '@sediment/core';
import type { ImageDocument } from '../sources/imageSource.ts';
import type { FileTransport, ImageDestination, NewBlob, NewImage, StoredBlob } from './imageDestination.ts';
import {
  manifestUnsupported,
  readKnownDocument,
  requireBlobs,
  signaturesUnsupported,
} from './knownDocument.ts';
import type { NewIndexEntry } from './layoutIndex.ts';
import { OCI_LIMITS } from './ociLayout.ts';

/** An image that `index.json` will list, once for each name. */
export interface ListedImage {
  readonly entry: NewIndexEntry;
  readonly names: readonly string[];
}

/** Where the files of a layout go. */
export interface LayoutSink {
  readonly location: string;
  blobSize(digest: Digest): Promise<number | undefined>;
  addBlob(blob: NewBlob): Promise<StoredBlob>;
  /** Makes the blobs and the images visible. */
  commit(images: readonly ListedImage[]): Promise<void>;
  close(): Promise<void>;
}

/** An OCI image layout that is written: manifests are blobs, too, and `index.json` lists the images. */
export class OciDestination implements ImageDestination {
  readonly transport: FileTransport;
  readonly location: string;
  readonly limits = OCI_LIMITS;
  readonly #sink: LayoutSink;
  readonly #images: ListedImage[] = [];

  constructor(transport: FileTransport, sink: LayoutSink) {
    this.transport = transport;
    this.location = sink.location;
    this.#sink = sink;
  }

  blobSize(digest: Digest): Promise<number | undefined> {
    return this.#sink.blobSize(digest);
  }

  putBlob(blob: NewBlob): Promise<StoredBlob> {
    return this.#sink.addBlob(blob);
  }

  async putInstance(document: ImageDocument, signatures: readonly Uint8Array[] = []): Promise<void> {
    if (signatures.length > 0) throw signaturesUnsupported(this.transport, this.location);
    const known = readKnownDocument(document, this.location);
    if (known.kind === 'schema1') {
      throw manifestUnsupported(this.transport, document.mediaType, this.location);
    }
    if (known.kind === 'manifest') {
      await requireBlobs(known.manifest, this.location, async (digest) => {
        return (await this.#sink.blobSize(digest)) !== undefined;
      });
    }
    await this.#sink.addBlob(blobOf(document));
  }

  async putImage({ document, names, annotations, signatures }: NewImage): Promise<void> {
    await this.putInstance(document, signatures);
    const { mediaType, digest, bytes } = document;
    const entry = { mediaType, digest, size: bytes.length, ...(annotations && { annotations }) };
    this.#images.push({ entry, names });
  }

  commit(): Promise<void> {
    return this.#sink.commit(this.#images);
  }

  close(): Promise<void> {
    return this.#sink.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

function blobOf({ digest, bytes }: ImageDocument): NewBlob {
  return {
    what: `manifest ${digest}`,
    kind: 'config',
    digest,
    size: bytes.length,
    open: async function* read() {
      yield bytes;
    },
  };
}
