import { StorageError } from '@sediment/core';
import type { IdMap } from '../records/idMap.ts';

const MAX_ID = 0xffff_ffff;

/**
 * Reads id maps as the option `--uidmap` has them: triples `container:host:size`, several of them as one
 * long colon list. An empty text holds none.
 *
 * @param kind for the message
 * @throws {StorageError} `ID_MAP_INVALID`
 */
export function parseIdMapTriples(text: string, kind: 'uid' | 'gid' = 'uid'): IdMap[] {
  if (text === '') return [];
  const fields = text.split(':');
  if (fields.length % 3 !== 0 || !fields.every(isId)) {
    throw new StorageError(
      'ID_MAP_INVALID',
      `initializing ID mappings: ${kind} setting is malformed expected ["uint32:uint32:uint32"]: [${JSON.stringify(text)}]`,
      { object: kind, actual: text, hint: 'write it as container:host:size, such as 0:100000:65536' },
    );
  }
  const numbers = fields.map(Number);
  return Array.from({ length: numbers.length / 3 }, (_, i) => {
    const [containerId, hostId, size] = numbers.slice(3 * i, 3 * i + 3) as [number, number, number];
    return { containerId, hostId, size };
  });
}

function isId(field: string): boolean {
  return /^\d+$/.test(field) && Number(field) <= MAX_ID;
}
