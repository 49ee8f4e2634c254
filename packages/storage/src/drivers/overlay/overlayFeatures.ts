import { StorageError } from '@sediment/core';
import type { FeatureCache, FeatureResult } from './featureCache.ts';
import {
  type ProbePlace,
  probeMetacopy,
  probeNativeDiff,
  probeOverlay,
  probeShifting,
  probeVolatile,
} from './probes.ts';

/** What overlay can do on this host, with this home and these mount options. */
export interface OverlayFeatures {
  readonly nativeDiff: boolean;
  readonly metacopy: boolean;
  readonly volatile: boolean;
  /** Layers can be mounted with other ids than they have. */
  readonly shifting: boolean;
}

type Probe = (place: ProbePlace) => FeatureResult;

/**
 * Finds out what overlay can do, from the results that any program left in the run root since the host
 * started, else by trying it in the home.
 *
 * @param optionText the configured mount options as they were written; part of the result's names
 * @throws {StorageError} `DRIVER_PREREQUISITES` when overlay does not work at all
 */
export function findFeatures(place: ProbePlace, optionText: string, cache: FeatureCache): OverlayFeatures {
  const overlay = remembered(cache, 'overlay', () => probeOverlay(place));
  if (!overlay.supported) {
    throw new StorageError(
      'DRIVER_PREREQUISITES',
      `the overlay driver does not work in ${place.home}: ${overlay.text}`,
      {
        path: place.home,
        hint: `choose a graph root on ext4 or xfs, or the vfs driver; to have it tried again, remove ${cache.path('overlay', false)}`,
      },
    );
  }
  const supports = (name: string, probe: Probe) => remembered(cache, name, () => probe(place)).supported;
  return {
    metacopy: supports(`metacopy(${optionText})`, probeMetacopy),
    nativeDiff: supports(`native-diff(${optionText})`, probeNativeDiff),
    volatile: supports('volatile', probeVolatile),
    shifting: supports('idmapped-lower-dir', probeShifting),
  };
}

/** What is known without trying anything; undefined where nothing is known. */
export function recallFeatures(optionText: string, cache: FeatureCache): Partial<OverlayFeatures> {
  const recall = (name: string) => cache.get(name)?.supported;
  const found = {
    metacopy: recall(`metacopy(${optionText})`),
    nativeDiff: recall(`native-diff(${optionText})`),
    volatile: recall('volatile'),
    shifting: recall('idmapped-lower-dir'),
  };
  return Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined));
}

/** A switch of containers/storage: mounts with other ids are not used although they work. */
export function shiftingIsAllowed(env: NodeJS.ProcessEnv = process.env): boolean {
  return env._CONTAINERS_OVERLAY_DISABLE_IDMAP !== 'yes';
}

function remembered(cache: FeatureCache, name: string, probe: () => FeatureResult): FeatureResult {
  const known = cache.get(name);
  if (known !== undefined) return known;
  const result = probe();
  cache.record(name, result);
  return result;
}
