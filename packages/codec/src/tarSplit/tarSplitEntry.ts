import { StorageError } from '@sediment/core';

/** A line of a tar-split file: bytes to put out as they are, or a file to put in. */
export type TarSplitEntry =
  | { readonly type: 'segment'; readonly payload: Buffer; readonly position: number }
  | {
      readonly type: 'file';
      /** As in the tar header: not cleaned, not necessarily UTF-8. */
      readonly name: Buffer;
      readonly size: number;
      /** CRC-64 of the content, 8 bytes big-endian; absent when the size is 0. */
      readonly crc?: Buffer;
      readonly position: number;
    };

/** How the line of a segment begins, whoever wrote it. */
const SEGMENT = '{"type":2,"payload":"';

/**
 * Parses one line.
 *
 * @param position running number the line must have
 * @throws {StorageError} `TAR_SPLIT_INVALID`
 */
export function parseTarSplitLine(line: string, position: number, what: string): TarSplitEntry {
  const usual = usualPayload(line, position);
  if (usual !== undefined) return { type: 'segment', payload: usual, position };
  const fail = (detail: string, cause?: unknown) => tarSplitInvalid(what, position, detail, cause);
  const record = parseObject(line, fail);
  if (record.position !== position) throw fail(`its position is ${JSON.stringify(record.position)}`);
  if (record.type === 2) {
    return { type: 'segment', payload: decode(record.payload ?? '', 'payload', fail), position };
  }
  if (record.type !== 1) throw fail(`its type is ${JSON.stringify(record.type)}, not 1 or 2`);
  const name = fileName(record, fail);
  const size = record.size ?? 0;
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) {
    throw fail(`its size is ${JSON.stringify(size)}`);
  }
  if (size === 0) return { type: 'file', name, size, position };
  const crc = decode(record.payload, 'payload', fail);
  if (crc.length !== 8) throw fail(`its checksum has ${crc.length} bytes instead of 8`);
  return { type: 'file', name, size, crc, position };
}

export function tarSplitInvalid(
  what: string,
  position: number,
  detail: string,
  cause?: unknown,
): StorageError {
  return new StorageError('TAR_SPLIT_INVALID', `${what}: line ${position + 1} is malformed: ${detail}`, {
    hint: 'the tar of this layer cannot be made again from it; remove the layer and import its image anew',
    ...(cause === undefined ? {} : { cause }),
  });
}

/** The payload of a segment that is written as usual: half of the lines are, and need no parser of JSON. */
function usualPayload(line: string, position: number): Buffer | undefined {
  const end = `","position":${position}}`;
  const isUsual =
    line.length >= SEGMENT.length + end.length && line.startsWith(SEGMENT) && line.endsWith(end);
  if (!isUsual) return undefined;
  return fromBase64(line.slice(SEGMENT.length, -end.length));
}

type Fail = (detail: string, cause?: unknown) => StorageError;

function parseObject(line: string, fail: Fail): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    throw fail('it is not JSON', error);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw fail('it is no JSON object');
  return value as Record<string, unknown>;
}

function fileName(record: Record<string, unknown>, fail: Fail): Buffer {
  if (record.name_raw !== undefined) return decode(record.name_raw, 'name_raw', fail);
  const name = record.name ?? '';
  if (typeof name !== 'string') throw fail('its name is no text');
  return Buffer.from(name);
}

function decode(value: unknown, key: string, fail: Fail): Buffer {
  const bytes = typeof value === 'string' ? fromBase64(value) : undefined;
  if (bytes === undefined) throw fail(`its ${key} is not base64`);
  return bytes;
}

/**
 * Node skips what is no base64; then there is less of it than the text is long for. It takes characters of the other alphabet,
 * and those of which it sees the lower byte alone.
 */
function fromBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64');
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  if (text.length % 4 !== 0 || bytes.length !== (text.length / 4) * 3 - padding) return undefined;
  const isOther = text.includes('-') || text.includes('_') || Buffer.byteLength(text) !== text.length;
  return isOther ? undefined : bytes;
}
