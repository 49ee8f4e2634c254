import { registerDecoder, registerEncoder } from '@sediment/codec';
import { createZstdDecoder, createZstdEncoder } from '@sediment/posix';

let registered = false;

/** Lets `@sediment/codec` use what this host's libraries can do, in this thread. May be called again. */
export function registerNativeCodecs(): void {
  if (registered) return;
  registered = true;
  const decoder = createZstdDecoder();
  if (decoder !== undefined) registerDecoder('zstd', decoder);
  const encoder = createZstdEncoder();
  if (encoder !== undefined) registerEncoder('zstd', encoder);
}
