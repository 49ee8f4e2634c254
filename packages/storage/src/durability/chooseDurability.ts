import { splitDriverOption } from '../conf/driverOptions.ts';
import type { StorageConf } from '../conf/index.ts';
import type { ChosenDurability, Durability } from './durability.ts';

export interface DurabilityRequest {
  /** What the caller asked for; comes before everything else. */
  readonly option: Durability | undefined;
  readonly conf: StorageConf;
  /** The driver in use. */
  readonly driver: string;
}

/**
 * The policy in force: the caller's; else by the driver option `sync`, whose `none` is the policy `none`, and whose
 * `filesystem` is `ordered`; else `ordered`. `filesystem` also decides how data is written under the caller's policy.
 * The driver has checked the value of `sync`.
 */
export function chooseDurability({ option, conf, driver }: DurabilityRequest): ChosenDurability {
  const sync = syncOption(conf, driver);
  const wholeFileSystem = sync === 'filesystem';
  if (option !== undefined) return { policy: option, source: 'option', wholeFileSystem };
  if (sync === undefined) return { policy: 'ordered', source: 'default', wholeFileSystem };
  return { policy: wholeFileSystem ? 'ordered' : 'none', source: sourceOf(conf, driver), wholeFileSystem };
}

/** The last one counts, as in the driver. */
function syncOption(conf: StorageConf, driver: string): string | undefined {
  return conf.driverOptions
    .map(splitDriverOption)
    .filter((option) => option.key === 'sync' && concerns(option.driver, driver))
    .at(-1)?.value;
}

function concerns(prefix: string, driver: string): boolean {
  return prefix === '' || prefix.replace(/^overlay2$/, 'overlay') === driver;
}

function sourceOf({ settings }: StorageConf, driver: string): string {
  const keys = ['sync', `${driver}.sync`, `${driver}2.sync`, `storage.options.${driver}.sync`];
  return settings.findLast(({ key }) => keys.includes(key))?.source ?? 'option';
}
