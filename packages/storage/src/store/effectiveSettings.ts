import type { EffectiveSetting, StorageConf } from '../conf/index.ts';

/** Driver options that have an effect, with what holds when nobody sets them. */
const OPTION_DEFAULTS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  overlay: { mountopt: '', skip_mount_home: 'false', ignore_chown_errors: 'false' },
  vfs: { ignore_chown_errors: 'false' },
};

/**
 * The settings of storage.conf, the environment and the options, completed by the defaults of all other
 * keys that have an effect, and by the driver that was chosen where none is named.
 */
export function effectiveSettings(conf: StorageConf, driver: string): EffectiveSetting[] {
  const present = conf.settings.map((setting) =>
    setting.key === 'storage.driver' && setting.value === '' ? { ...setting, value: driver } : setting,
  );
  const defaults: EffectiveSetting[] = [
    { key: 'storage.driver_priority', value: [...conf.driverPriority], source: 'default' },
  ];
  for (const [option, value] of Object.entries(OPTION_DEFAULTS[driver] ?? {})) {
    defaults.push({ key: `storage.options.${driver}.${option}`, value, source: 'default' });
  }
  return [...present, ...defaults.filter(({ key }) => !present.some((setting) => sets(setting.key, key)))];
}

/** Whether `key` sets what `full` stands for: options may lack the driver, or the tables in front. */
function sets(key: string, full: string): boolean {
  const [option = '', driver = ''] = full.split('.').reverse();
  const spellings = [full, `storage.options.${option}`, `${driver}.${option}`, option];
  return spellings.includes(key);
}
