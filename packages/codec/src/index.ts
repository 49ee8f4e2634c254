export { batched } from './batched.ts';
export { type Decoder, type DecoderOptions, decoderFor, registerDecoder } from './compression/decoder.ts';
export { detectCompression } from './compression/detectCompression.ts';
export { type Encoder, type EncoderOptions, encoderFor, registerEncoder } from './compression/encoder.ts';
export { type GunzipOptions, gunzip } from './compression/gzip.ts';
export { type GzipMembersOptions, gzipMembers, type MemberCompressor } from './compression/gzipMembers.ts';
export {
  type Decompressed,
  type OpenDecompressedOptions,
  openDecompressed,
} from './compression/openDecompressed.ts';
export { type CountedStream, counted } from './counted.ts';
export { Crc64 } from './crc64/crc64.ts';
export { hashInThread, type ThreadHasher } from './hashing/hashThread.ts';
export { holdShared } from './hashing/sharedBlocks.ts';
export { encodeTarHeader, type NewTarEntry, tarEnd, tarPadding } from './tar/encodeTarHeader.ts';
export {
  isHeaderOnlyType,
  type SparseRange,
  TAR_TYPE,
  type TarFormat,
  type TarHeader,
  type TarXattr,
} from './tar/tarHeader.ts';
export { type TarHandler, TarReader, type TarReaderOptions } from './tar/tarReader.ts';
export { assembleTar } from './tarSplit/assembleTar.ts';
export { GzipLevel1Writer } from './tarSplit/gzipLevel1Writer.ts';
export { readTarSplit } from './tarSplit/readTarSplit.ts';
export {
  type LayerFile,
  type OpenLayerFile,
  TarAssembler,
  type TarAssemblerOptions,
} from './tarSplit/tarAssembler.ts';
export type { TarSplitEntry } from './tarSplit/tarSplitEntry.ts';
export { TarSplitPacker, type TarSplitPackerOptions } from './tarSplit/tarSplitPacker.ts';
export { type VerifiedOptions, verified } from './verified.ts';
