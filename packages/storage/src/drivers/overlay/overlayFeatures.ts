import { StorageError, wrapSystemError } from '@sediment/core';
import type { FeatureCache, FeatureResult } from './featureCache.ts';
import {
  type ProbePlace,
  probeMetacopy,
  probeNativeDiff,
  probeOverlay,
  probeShifting,
  probeVolatile,
} from './probes.ts';

/**
 * What overlay can do on this host, with this home and these mount options. To read one may try it, and throws what the
 * host says to that, as `StorageError`.
 */
export interface OverlayFeatures {
  readonly nativeDiff: boolean;
  readonly metacopy: boolean;
  readonly volatile: boolean;
  /** Layers can be mounted with other ids than they have. */
  readonly shifting: boolean;
}

type Probe = (place: ProbePlace) => FeatureResult;

/**
 * Finds out whether overlay works, from the results that any program left in the run root since the host
 * started, else by trying it in the home. What else it can do is found out in the same way when it is asked for: each
 * trial mounts and unmounts, which takes longer than to import a small image.
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
  return new FeaturesOnDemand(place, optionText, cache);
}

class FeaturesOnDemand implements OverlayFeatures {
  readonly #place: ProbePlace;
  readonly #optionText: string;
  readonly #cache: FeatureCache;
  readonly #found = new Map<string, boolean>();

  constructor(place: ProbePlace, optionText: string, cache: FeatureCache) {
    this.#place = place;
    this.#optionText = optionText;
    this.#cache = cache;
  }

  get metacopy(): boolean {
    return this.#supports(`metacopy(${this.#optionText})`, probeMetacopy);
  }

  get nativeDiff(): boolean {
    return this.#supports(`native-diff(${this.#optionText})`, probeNativeDiff);
  }

  get volatile(): boolean {
    return this.#supports('volatile', probeVolatile);
  }

  get shifting(): boolean {
    return this.#supports('idmapped-lower-dir', probeShifting);
  }

  #supports(name: string, probe: Probe): boolean {
    const known = this.#found.get(name);
    if (known !== undefined) return known;
    const { home } = this.#place;
    try {
      const { supported } = remembered(this.#cache, name, () => probe(this.#place));
      this.#found.set(name, supported);
      return supported;
    } catch (error) {
      throw wrapSystemError(error, `trying what overlay can do in ${home}`, 'IO', { path: home });
    }
  }
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
