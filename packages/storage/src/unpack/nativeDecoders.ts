import { registerDecoder } from '@sediment/codec';
import { createZstdDecoder } from '@sediment/posix';

let registered = false;

/** Lets `@sediment/codec` use the decoders of this host's libraries in this thread. May be called again. */
export function registerNativeDecoders(): void {
  if (registered) return;
  registered = true;
  const zstd = createZstdDecoder();
  if (zstd !== undefined) registerDecoder('zstd', zstd);
}
