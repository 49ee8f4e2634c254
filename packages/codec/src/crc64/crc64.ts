import { type Crc64Engine, createPortableCrc64 } from './crc64Portable.ts';
import { createWasmCrc64 } from './crc64Wasm.ts';

let sharedEngine: Crc64Engine | undefined;

/**
 * CRC-64 with the ISO polynomial, reflected, initial value and final xor all ones: Go's `crc64.ISO`,
 * which tar-split uses. Bytes are read during `update` only.
 */
export class Crc64 {
  readonly #state = Int32Array.of(-1, -1);
  readonly #engine: Crc64Engine;

  /** `engine` chooses an implementation; by default WebAssembly where there is one. */
  constructor(engine?: Crc64Engine) {
    sharedEngine ??= engine ?? createWasmCrc64() ?? createPortableCrc64();
    this.#engine = engine ?? sharedEngine;
  }

  update(bytes: Uint8Array): void {
    this.#engine(this.#state, bytes);
  }

  /** The CRC of the bytes so far: 8 bytes, big-endian. More bytes may follow. */
  digest(): Buffer {
    const out = Buffer.allocUnsafe(8);
    out.writeInt32BE(~(this.#state[1] as number), 0);
    out.writeInt32BE(~(this.#state[0] as number), 4);
    return out;
  }

  /** Begins anew. */
  reset(): void {
    this.#state.fill(-1);
  }
}
