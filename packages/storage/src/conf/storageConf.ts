/** The type of a storage.conf value. */
export type ConfValue = string | boolean | number | readonly string[] | Readonly<Record<string, string>>;

/** One key in force, for `sediment info`. */
export interface EffectiveSetting {
  /** Full key (`storage.graphroot`), or a driver option as given (`overlay.mountopt`). */
  readonly key: string;
  /** After expansion: a root is the path that is used. */
  readonly value: ConfValue;
  /** A file's path, an environment variable's name, `option` or `default`. */
  readonly source: string;
}

/** Sizes of user namespaces that are made automatically, and whose subordinate ids they use. */
export interface AutoUserns {
  readonly user: string;
  readonly minSize: number;
  readonly maxSize: number;
}

/** The merged configuration of a store. Paths are absolute. */
export interface StorageConf {
  /** Absent: the driver is found out from the graph root, then from {@link driverPriority}. */
  readonly driver: string | undefined;
  readonly driverPriority: readonly string[];
  readonly graphRoot: string;
  readonly runRoot: string;
  /** Separate place for image layers. */
  readonly imageStore: string | undefined;
  readonly transientStore: boolean;
  /** `[driver.]key=value`, generic ones first, in upstream's order. */
  readonly driverOptions: readonly string[];
  readonly pullOptions: Readonly<Record<string, string>>;
  readonly disableVolatile: boolean;
  readonly stripSuidSgid: boolean;
  readonly autoUserns: AutoUserns;
  /** Keys that were set, and the roots and driver in any case. */
  readonly settings: readonly EffectiveSetting[];
  /** Files read, in the order of merging. */
  readonly files: readonly string[];
}
