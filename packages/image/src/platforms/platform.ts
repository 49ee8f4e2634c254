import { arch, platform as nodePlatform } from 'node:process';
import { type Platform, StorageError } from '@sediment/core';

const ARCHITECTURES: Readonly<Record<string, string>> = {
  x64: 'amd64',
  ia32: '386',
  mipsel: 'mipsle',
  // Node names both byte orders alike; big-endian Linux on POWER is no longer built by anyone.
  ppc64: 'ppc64le',
};
const SYSTEMS: Readonly<Record<string, string>> = { win32: 'windows' };

/** The platform of this host in the words of the OCI image-spec (those of Go). */
export function hostPlatform(): Platform {
  const architecture = ARCHITECTURES[arch] ?? arch;
  const variant = hostVariant(architecture);
  return {
    os: SYSTEMS[nodePlatform] ?? nodePlatform,
    architecture,
    ...(variant === undefined ? {} : { variant }),
  };
}

function hostVariant(architecture: string): string | undefined {
  if (architecture === 'arm64') return 'v8';
  if (architecture !== 'arm') return undefined;
  const { arm_version: version } = process.config.variables as { readonly arm_version?: string };
  return `v${version ?? '7'}`;
}

/**
 * Reads `os/architecture[/variant]`, such as `linux/arm/v7`.
 *
 * @throws {StorageError} `CONFIG_INVALID`
 */
export function parsePlatform(text: string): Platform {
  const parts = text.split('/');
  const [os, architecture, variant] = parts;
  if (
    parts.length > 3 ||
    !parts.every((part) => /^[a-z0-9][a-z0-9._-]*$/i.test(part)) ||
    !os ||
    !architecture
  ) {
    throw new StorageError('CONFIG_INVALID', `invalid platform ${JSON.stringify(text)}`, {
      object: text,
      hint: 'write os/architecture[/variant], such as linux/arm64 or linux/arm/v7',
    });
  }
  return { os, architecture, ...(variant === undefined ? {} : { variant }) };
}

export function formatPlatform({ os, architecture, variant }: Platform): string {
  return [os, architecture, variant].filter((part) => part).join('/');
}
