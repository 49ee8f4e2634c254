import { readFileSync } from 'node:fs';
import { errnoCode, StorageError, wrapSystemError } from '@sediment/core';
import * as z from 'zod/mini';
import { KEEP_POLICIES, type KeepPolicy } from './blobs.ts';
import type { KeptStore } from './keptStore.ts';
import { replaceFile } from './spoolFiles.ts';

const MODE = 0o600;

const settingsSchema = z.looseObject({ keepBlobs: z.nullish(z.enum(KEEP_POLICIES)) });

/**
 * The policy in the settings of a store; `none` if there are no settings.
 *
 * @throws {StorageError} `CONFIG_INVALID`
 */
export function readKeepPolicy(path: string): KeepPolicy {
  return readSettings(path).keepBlobs ?? 'none';
}

/** Sets the policy; other settings stay as they are. */
export async function writeKeepPolicy(store: KeptStore, policy: KeepPolicy): Promise<void> {
  if (!KEEP_POLICIES.includes(policy)) {
    throw new TypeError(`policy must be one of ${KEEP_POLICIES.join(', ')}, not ${policy}`);
  }
  const { settings } = store.context.paths;
  await store.alone(async () => {
    const text = `${JSON.stringify({ ...readSettings(settings), keepBlobs: policy }, undefined, 2)}\n`;
    await store.withTemp((temp) => replaceFile(temp, settings, text, MODE));
    await store.context.disk.named(settings);
  });
}

function readSettings(path: string): z.output<typeof settingsSchema> {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (errnoCode(error) === 'ENOENT') return {};
    throw wrapSystemError(error, `reading ${path}`, 'IO', { path });
  }
  try {
    return settingsSchema.parse(JSON.parse(text));
  } catch (error) {
    throw new StorageError('CONFIG_INVALID', `${path}: the settings of the store are damaged`, {
      path,
      cause: error,
      hint: `"keepBlobs" must be one of ${KEEP_POLICIES.join(', ')}: correct the file or remove it`,
    });
  }
}
