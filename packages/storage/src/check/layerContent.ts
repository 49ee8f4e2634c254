import { type TarHeader, TarReader } from '@sediment/codec';
import { type Digest, type DigestAlgorithm, isStorageError, newHasher } from '@sediment/core';
import type { Breather } from '../store/breather.ts';

export interface LayerContentRequest {
  /** The layer's tar, made again. */
  readonly tar: AsyncIterable<Uint8Array>;
  readonly algorithm: DigestAlgorithm;
  /** Called with each header of the tar. */
  readonly onHeader?: (header: TarHeader) => void;
  readonly breather: Breather;
}

export interface LayerContent {
  readonly digest: Digest;
  readonly size: number;
  /** Whether all headers could be read: upstream's reader of tars is not ours in every detail. */
  readonly parsed: boolean;
}

const NOTHING = () => undefined;

/** Reads a tar to its end, once, and says what it is; errors of the tar pass through. */
export async function readLayerContent(request: LayerContentRequest): Promise<LayerContent> {
  const { tar, algorithm, onHeader, breather } = request;
  const hasher = newHasher(algorithm);
  const reader = onHeader === undefined ? undefined : new HeaderReader(onHeader);
  let size = 0;
  for await (const chunk of tar) {
    hasher.update(chunk);
    reader?.write(chunk);
    size += chunk.length;
    await breather.rest();
  }
  return { digest: hasher.digest(), size, parsed: reader?.end() ?? true };
}

/** Gives headers as long as the bytes are a tar. */
class HeaderReader {
  #reader: TarReader | undefined;

  constructor(onHeader: (header: TarHeader) => void) {
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
