import {
  type Decoder,
  type Encoder,
  encoderFor,
  gunzip,
  gzipMembers,
  registerDecoder,
  registerEncoder,
} from '@sediment/codec';
import { createZstdDecoder, createZstdEncoder, gzipCompressors, nativeCrc32 } from '@sediment/posix';

/** Of libdeflate: its fastest. Application images become 2 % larger than those of Go's programs. */
const GZIP_LEVEL = 1;

let registered = false;

/** Lets `@sediment/codec` use what this host's libraries can do, in this thread. May be called again. */
export function registerNativeCodecs(): void {
  if (registered) return;
  registered = true;
  const decoder = createZstdDecoder();
  if (decoder !== undefined) registerDecoder('zstd', decoder);
  const encoder = createZstdEncoder();
  if (encoder !== undefined) registerEncoder('zstd', encoder);
  registerDecoder('gzip', nativeGunzip());
  registerEncoder('gzip', nativeGzip(encoderFor('gzip')));
}

/**
 * Gunzip with the checksum of the system's libdeflate, which is looked for when first something is to be inflated.
 *
 * @param library its file name
 */
export function nativeGunzip(library?: string): Decoder {
  let chosen: { readonly crc32: ReturnType<typeof nativeCrc32> } | undefined;
  return (source, options) => {
    chosen ??= { crc32: nativeCrc32(library) };
    return gunzip(source, { ...options, ...chosen });
  };
}

/**
 * Gzip by the system's libdeflate, which is looked for when first something is to be compressed: most programs only read.
 *
 * @param portable what compresses where there is none
 * @param library its file name
 */
export function nativeGzip(portable: Encoder, library?: string): Encoder {
  let chosen: Encoder | undefined;
  return (source, options) => {
    chosen ??= chooseGzip(portable, library);
    return chosen(source, options);
  };
}

function chooseGzip(portable: Encoder, library: string | undefined): Encoder {
  const open = gzipCompressors(library);
  return open === undefined ? portable : gzipMembers({ open, defaultLevel: GZIP_LEVEL });
}
