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
    this.digestInto(out);
    return out;
  }

  /** Writes what {@link digest} gives to the start of `out`. */
  digestInto(out: Uint8Array): void {
    const [low = 0, high = 0] = this.#state;
    for (let i = 0; i < 4; i++) {
      out[i] = ~high >>> (24 - i * 8);
      out[i + 4] = ~low >>> (24 - i * 8);
    }
  }

  /** Begins anew. */
  reset(): void {
    this.#state.fill(-1);
  }
}
