import {
  type Decoder,
  type Encoder,
  encoderFor,
  type GunzipOptions,
  gunzip,
  gzipMembers,
  registerDecoder,
  registerEncoder,
} from '@sediment/codec';
import {
  createZstdDecoder,
  createZstdEncoder,
  gzipCompressors,
  isalInflaters,
  nativeCrc32,
} from '@sediment/posix';

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

/** File names; the usual ones if absent. */
export interface GunzipLibraries {
  readonly isal?: string;
  readonly libdeflate?: string;
}

/**
 * Gunzip by the system's ISA-L, with the checksum of its libdeflate; each is looked for when first something is to be inflated,
 * and Node.js does what they do where there is none.
 */
export function nativeGunzip({ isal, libdeflate }: GunzipLibraries = {}): Decoder {
  let chosen: Pick<GunzipOptions, 'openInflater' | 'crc32'> | undefined;
  return (source, options) => {
    chosen ??= { openInflater: isalInflaters(isal), crc32: nativeCrc32(libdeflate) };
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
