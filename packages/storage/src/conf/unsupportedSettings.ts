import { splitDriverOption } from './driverOptions.ts';
import type { StorageConf } from './storageConf.ts';

/** A setting that would change what the store does, in a way this version cannot. */
export interface UnsupportedSetting {
  /** As in {@link EffectiveSetting.key} wherever the setting has one. */
  readonly key: string;
  readonly value: string;
  readonly reason: string;
}

const OPTION_REASONS: Readonly<Record<string, string>> = {
  additionallayerstore: 'additional layer stores are not supported',
  force_mask: 'forced permission masks are not supported',
  use_composefs: 'composefs is not supported',
  size: 'quotas are not supported',
  inodes: 'quotas are not supported',
  min_space: 'quotas are not supported',
};
/** Values that ask for nothing. */
const HARMLESS: Readonly<Record<string, RegExp>> = {
  use_composefs: /^(0|f|false|F|FALSE|False)$/,
  size: /^0+$/,
  inodes: /^0+$/,
};

/** Settings in force that this version cannot honour. Options for other drivers do not count. */
export function unsupportedSettings(conf: StorageConf): UnsupportedSetting[] {
  const found: UnsupportedSetting[] = [];
  if (conf.stripSuidSgid) {
    const reason = 'stripping set-id bits is not supported';
    found.push({ key: 'storage.options.strip_suid_sgid', value: 'true', reason });
  }
  return [...found, ...conf.driverOptions.flatMap((option) => unsupportedOption(option, conf))];
}

function unsupportedOption(option: string, conf: StorageConf): UnsupportedSetting[] {
  const { driver, key, value } = splitDriverOption(option);
  const ours = driver === '' || driver === (conf.driver ?? 'overlay');
  const reason = OPTION_REASONS[key];
  if (!ours || reason === undefined || value === '' || HARMLESS[key]?.test(value)) return [];
  return [{ key: settingKey(conf, driver, key), value, reason }];
}

function settingKey(conf: StorageConf, driver: string, key: string): string {
  const option = driver === '' ? key : `${driver}.${key}`;
  const names: Readonly<Record<string, string>> = { additionallayerstore: 'additionallayerstores' };
  const inFile = `storage.options.${driver === '' ? (names[key] ?? key) : option}`;
  return conf.settings.some((setting) => setting.key === inFile) ? inFile : option;
}
