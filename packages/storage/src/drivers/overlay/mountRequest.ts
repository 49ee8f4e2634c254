import { partMountOptions } from './mountWords.ts';

/** What an overlay mount is made of. `lowers` are ordered from the nearest to the base layer. */
export interface OverlayParts {
  readonly lowers: readonly string[];
  /** Without: the mount is read-only. */
  readonly upper?: { readonly diff: string; readonly work: string };
  readonly options: readonly string[];
  readonly mountLabel?: string | undefined;
}

const METACOPY = 'metacopy=on';

/** Flags and data for mount(2), in the order that containers/storage has them. */
export function overlayMountRequest(parts: OverlayParts): { flags: number; data: string } {
  const { flags, rest } = partMountOptions(parts.options);
  return { flags, data: overlayMountData({ ...parts, options: rest }) };
}

/** The options as one text, for mount(2) or, with its words for flags, for mount(8). */
export function overlayMountData({ lowers, upper, options, mountLabel }: OverlayParts): string {
  const words = [`lowerdir=${lowers.map(escapeLower).join(':')}`];
  if (upper !== undefined) {
    words.push(`upperdir=${escapePath(upper.diff)}`, `workdir=${escapePath(upper.work)}`);
  }
  words.push(...options);
  if (mountLabel !== undefined && mountLabel !== '') words.push(`context="${mountLabel}"`);
  return words.join(',');
}

export interface OptionSources {
  /** Of this mount. */
  readonly given: readonly string[];
  /** `mountopt` of the driver. */
  readonly configured: readonly string[];
  /** Whether the kernel can do `metacopy=on` together with the configured options. */
  readonly metacopyWorks: boolean;
}

/**
 * The options of a mount: its own ones, else the configured ones. `metacopy=on` stays on for mounts with
 * own options, since without it the kernel does not follow what earlier mounts left in the upper
 * directory; it is dropped where it does not work.
 */
export function chooseMountOptions({ given, configured, metacopyWorks }: OptionSources): string[] {
  const chosen = given.length === 0 ? [...configured] : [...given];
  if (configured.includes(METACOPY) && !chosen.includes(METACOPY)) chosen.push(METACOPY);
  return metacopyWorks ? chosen : chosen.filter((option) => option !== METACOPY);
}

/** The kernel splits options at commas and lowers at colons, unless a backslash stands before them. */
function escapeLower(path: string): string {
  return path.replace(/[\\:,]/g, '\\$&');
}

function escapePath(path: string): string {
  return path.replace(/[\\,]/g, '\\$&');
}
