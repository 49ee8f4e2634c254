import type { Platform } from '@sediment/core';

/** Variants that a processor runs, best first: each runs those that follow it. */
const VARIANT_ORDER: Readonly<Record<string, readonly string[]>> = {
  arm: ['v8', 'v7', 'v6', 'v5'],
  arm64: ['v8'],
};

/**
 * The platforms whose images run where `platform` is wanted, best first. A wanted variant falls back
 * to older ones and then to none; if no variant is wanted, images without one come first.
 */
export function wantedPlatforms({ os, architecture, variant }: Platform): readonly Platform[] {
  const known = VARIANT_ORDER[architecture] ?? [];
  const from = variant === undefined ? -1 : known.indexOf(variant);
  const variants =
    variant === undefined ? ['', ...known] : [...(from === -1 ? [variant] : known.slice(from)), ''];
  return variants.map((each) => ({ os, architecture, ...(each === '' ? {} : { variant: each }) }));
}

/** Whether the two are the same; an absent variant equals an empty one. */
export function samePlatform(a: Platform, b: Platform): boolean {
  return a.os === b.os && a.architecture === b.architecture && (a.variant ?? '') === (b.variant ?? '');
}
