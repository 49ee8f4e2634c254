export { splitDriverOption } from './driverOptions.ts';
export { type ConfOverrides, type LoadStorageConfOptions, loadStorageConf } from './loadStorageConf.ts';
export type { AutoUserns, ConfValue, EffectiveSetting, StorageConf } from './storageConf.ts';
export { type UnsupportedSetting, unsupportedSettings } from './unsupportedSettings.ts';
