import { StorageError, type WarningHandler, wrapSystemError } from '@sediment/core';
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

export interface FindFeaturesOptions {
  readonly place: ProbePlace;
  /** The configured mount options as they were written; part of the result's names. */
  readonly optionText: string;
  readonly cache: FeatureCache;
  /** Told when what was found out cannot be kept. */
  readonly onWarning: WarningHandler;
}

interface Search extends FindFeaturesOptions {
  /** Why results could not be kept, as far as the handler was told. */
  readonly told: Set<string>;
}

type Probe = (place: ProbePlace) => FeatureResult;

/**
 * Finds out whether overlay works, from the results that any program left in the run root since the host
 * started, else by trying it in the home. What else it can do is found out in the same way when it is asked for: each
 * trial mounts and unmounts, which takes longer than to import a small image.
 *
 * @throws {StorageError} `DRIVER_PREREQUISITES` when overlay does not work at all
 */
export function findFeatures(options: FindFeaturesOptions): OverlayFeatures {
  const { place, cache } = options;
  const search: Search = { ...options, told: new Set() };
  const overlay = cache.get('overlay') ?? probeAndKeep('overlay', probeOverlay, search);
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
  return new FeaturesOnDemand(search);
}

class FeaturesOnDemand implements OverlayFeatures {
  readonly #search: Search;
  readonly #found = new Map<string, boolean>();

  constructor(search: Search) {
    this.#search = search;
  }

  get metacopy(): boolean {
    return this.#supports(`metacopy(${this.#search.optionText})`, probeMetacopy);
  }

  get nativeDiff(): boolean {
    return this.#supports(`native-diff(${this.#search.optionText})`, probeNativeDiff);
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
    const { cache, place } = this.#search;
    try {
      const { supported } = cache.get(name) ?? probeAndKeep(name, probe, this.#search);
      this.#found.set(name, supported);
      return supported;
    } catch (error) {
      throw wrapSystemError(error, `trying what overlay can do in ${place.home}`, 'IO', {
        path: place.home,
      });
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

/**
 * Each feature as a text: what cannot be found out is `unknown`, with a warning if trying it failed, one for all that
 * failed for the same reason.
 */
export function featureTexts(
  known: Partial<OverlayFeatures>,
  home: string,
  onWarning: WarningHandler,
): (feature: keyof OverlayFeatures) => string {
  const told = new Set<string>();
  return (feature) => {
    try {
      return String(known[feature] ?? 'unknown');
    } catch (error) {
      const { message, facts } = wrapSystemError(error, `trying what overlay can do in ${home}`);
      const reason = facts.errnoCode ?? message;
      if (!told.has(reason)) onWarning({ code: 'FEATURE_UNKNOWN', message, path: home });
      told.add(reason);
      return 'unknown';
    }
  };
}

/** A switch of containers/storage: mounts with other ids are not used although they work. */
export function shiftingIsAllowed(env: NodeJS.ProcessEnv = process.env): boolean {
  return env._CONTAINERS_OVERLAY_DISABLE_IDMAP !== 'yes';
}

/**
 * To lose a result costs the next program a trial, and must fail nothing that the result itself allows. One warning tells
 * of all that are lost for the same reason.
 */
function probeAndKeep(name: string, probe: Probe, { place, cache, onWarning, told }: Search): FeatureResult {
  const result = probe(place);
  try {
    cache.record(name, result);
  } catch (error) {
    const reason = wrapSystemError(error, 'it is tried again next time, as the result cannot be kept');
    const code = reason.facts.errnoCode ?? reason.message;
    if (told.has(code)) return result;
    told.add(code);
    onWarning({
      code: 'FEATURE_UNKNOWN',
      message: `what overlay can do here: ${reason.message}`,
      path: cache.directory,
    });
  }
  return result;
}
