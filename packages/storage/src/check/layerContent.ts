import { join } from 'node:path';
import { assembleTar, readTarSplit, type TarHeader, TarReader } from '@sediment/codec';
import { type Digest, type DigestAlgorithm, isStorageError, newHasher, StorageError } from '@sediment/core';
import type { Driver } from '../drivers/driver.ts';
import { chunksOf, fileChunks } from '../items/fileChunks.ts';
import type { Breather } from '../store/breather.ts';

export interface LayerContentRequest {
  readonly driver: Driver;
  readonly id: string;
  /** The layer's tar-split file. */
  readonly tarSplit: string;
  readonly algorithm: DigestAlgorithm;
  /** Called with each header of the tar. */
  readonly onHeader?: (header: TarHeader) => void;
  readonly breather: Breather;
}

export interface LayerContent {
  readonly digest: Digest;
  readonly size: number;
  /** Whether the headers could be read to the end; what cannot be parsed may have been stored all the same. */
  readonly parsed: boolean;
}

const NOTHING = () => undefined;

/**
 * Makes a layer's tar again from the files on disk and its tar-split, and says what came out. Reads each
 * byte once; memory does not grow with the layer.
 *
 * @throws {StorageError} `FILE_INTEGRITY` for a file that is not what was unpacked, with containers/storage's
 *   words; `TAR_SPLIT_INVALID`, `TAR_DUPLICATE_PATH`, `COMPRESSION_INVALID`, `IO`
 */
export async function readLayerContent(request: LayerContentRequest): Promise<LayerContent> {
  const { tarSplit, algorithm, breather } = request;
  const hasher = newHasher(algorithm);
  const reader = new HeaderReader(request.onHeader);
  let size = 0;
  const entries = readTarSplit(pulled(fileChunks(tarSplit)), tarSplit);
  for await (const chunk of assembleTar(entries, (name) => fileContent(request, name))) {
    hasher.update(chunk);
    reader.write(chunk);
    size += chunk.length;
    await breather.rest();
  }
  return { digest: hasher.digest(), size, parsed: reader.end() };
}

/** Gives headers as long as the bytes are a tar. */
class HeaderReader {
  #reader: TarReader | undefined;

  constructor(onHeader: ((header: TarHeader) => void) | undefined) {
    if (onHeader === undefined) return;
    this.#reader = new TarReader({ entry: onHeader, raw: NOTHING, data: NOTHING, entryEnd: NOTHING });
  }

  write(bytes: Uint8Array): void {
    this.#try((reader) => reader.write(bytes));
  }

  end(): boolean {
    this.#try((reader) => reader.end());
    return this.#reader !== undefined;
  }

  #try(step: (reader: TarReader) => void): void {
    try {
      if (this.#reader !== undefined) step(this.#reader);
    } catch (error) {
      if (!isStorageError(error)) throw error;
      this.#reader = undefined;
    }
  }
}

function fileContent({ driver, id }: LayerContentRequest, name: Buffer): AsyncGenerator<Buffer> {
  return pulled(chunksOf(openFile(driver, id, name), name.toString()));
}

async function* pulled(chunks: Iterable<Buffer>): AsyncGenerator<Buffer> {
  yield* chunks;
}

function openFile(driver: Driver, id: string, name: Buffer): number {
  try {
    return driver.openFile(id, name);
  } catch (error) {
    if (!isStorageError(error, 'FILE_INTEGRITY')) throw error;
    const path = join(error.facts.path ?? '', name.toString());
    throw new StorageError('FILE_INTEGRITY', `open ${path}: no such file or directory`, {
      ...error.facts,
      path,
      cause: error,
    });
  }
}
