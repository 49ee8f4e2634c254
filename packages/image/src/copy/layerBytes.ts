import { encoderFor, openDecompressed } from '@sediment/codec';
import { type Digest, newHasher, StorageError } from '@sediment/core';
import { type OpenBytes, registerNativeCodecs } from '@sediment/storage';
import { throwIfAborted } from '../archives/throwIfAborted.ts';
import type { LayerCompression } from '../documents/layerType.ts';

export interface NewLayerForm {
  readonly compression: LayerCompression;
  readonly level?: number;
  /** Of the uncompressed tar; verified, unless whoever reads the bytes does. */
  readonly diffID?: Digest;
  /** Known to be the tar, whatever its first bytes look like. */
  readonly isPlain?: boolean;
  /** For messages, such as `layer 2 of app.tar`. */
  readonly what: string;
}

/**
 * The bytes of a layer in another form. They are decompressed by what they are, and the tar must have the DiffID, or
 * else they do not end.
 *
 * Reading throws `DIFF_ID_MISMATCH`, `COMPRESSION_INVALID`, `COMPRESSION_UNSUPPORTED`, `ABORTED`, and what `open` throws.
 */
export function openInForm(open: OpenBytes, form: NewLayerForm): OpenBytes {
  const { compression, level, diffID, isPlain, what } = form;
  return async function* (signal) {
    registerNativeCodecs();
    const bytes = isPlain ? open(signal) : (await openDecompressed(open(signal), { what })).bytes;
    const encode = encoderFor(compression);
    const tar = diffID === undefined ? bytes : withDiffID(bytes, diffID, what);
    yield* encode(tar, level === undefined ? {} : { level });
    throwIfAborted(signal);
  };
}

async function* withDiffID(
  tar: AsyncIterable<Uint8Array>,
  diffID: Digest,
  what: string,
): AsyncGenerator<Uint8Array, void, undefined> {
  const hasher = newHasher();
  for await (const chunk of tar) {
    hasher.update(chunk);
    yield chunk;
  }
  const actual = hasher.digest();
  if (actual !== diffID) throw diffIDMismatch({ what, diffID, actual });
}

/** The error for a tar that is not the one which the config names. */
export function diffIDMismatch({ what, diffID, actual }: Record<'what' | 'diffID' | 'actual', string>) {
  return new StorageError('DIFF_ID_MISMATCH', `${what}: the uncompressed layer is ${actual}, not ${diffID}`, {
    object: diffID,
    expected: diffID,
    actual,
    hint: 'the layer is damaged, or is not the one that the config names: check the source',
  });
}
