export type {
  CreateLayerOptions,
  Driver,
  DriverContext,
  DriverName,
  DriverOption,
  MountOptions,
  TreeParent,
} from './driver.ts';
export { type OpenDriverOptions, openDriver } from './openDriver.ts';
export type { UnpackPolicy } from './unpackPolicy.ts';
