/**
 * Every key of storage.conf with the type of its value, as in containers-storage.conf(5). Types are
 * strict, as they are for Go programs: a number or boolean in place of a text is an error.
 */
import * as z from 'zod/mini';

const text = z.string({ error: 'a string' });
const flag = z.boolean({ error: 'true or false' });
const uint32 = z
  .number({ error: 'an integer' })
  .check(
    z.refine((n) => Number.isInteger(n) && n >= 0 && n <= 0xffff_ffff, 'an integer from 0 to 4294967295'),
  );
const appendMark = z.strictObject({ append: z.boolean() });
const texts = z.array(z.union([z.string(), appendMark], { error: 'a string or {append=true}' }), {
  error: 'an array of strings',
});
const textTable = z.record(z.string(), text, { error: 'a table of strings' });

/** Key → schema of its value. */
export const CONF_KEYS = {
  'storage.driver': text,
  'storage.driver_priority': texts,
  'storage.runroot': text,
  'storage.graphroot': text,
  'storage.rootless_storage_path': text,
  'storage.imagestore': text,
  'storage.transient_store': flag,
  'storage.options.additionalimagestores': texts,
  'storage.options.imagestore': text,
  'storage.options.additionallayerstores': texts,
  'storage.options.size': text,
  'storage.options.mount_program': text,
  'storage.options.skip_mount_home': text,
  'storage.options.ignore_chown_errors': text,
  'storage.options.force_mask': uint32,
  'storage.options.mountopt': text,
  'storage.options.use_composefs': text,
  'storage.options.strip_suid_sgid': flag,
  'storage.options.root-auto-userns-user': text,
  'storage.options.auto-userns-min-size': uint32,
  'storage.options.auto-userns-max-size': uint32,
  'storage.options.disable-volatile': flag,
  'storage.options.pull_options': textTable,
  'storage.options.btrfs.min_space': text,
  'storage.options.btrfs.size': text,
  'storage.options.overlay.ignore_chown_errors': text,
  'storage.options.overlay.mount_program': text,
  'storage.options.overlay.mountopt': text,
  'storage.options.overlay.size': text,
  'storage.options.overlay.inodes': text,
  'storage.options.overlay.skip_mount_home': text,
  'storage.options.overlay.force_mask': text,
  'storage.options.overlay.use_composefs': text,
  'storage.options.overlay.sync': text,
  'storage.options.vfs.ignore_chown_errors': text,
  'storage.options.vfs.sync': text,
  'storage.options.zfs.fsname': text,
  'storage.options.zfs.mountopt': text,
  'storage.options.zfs.size': text,
} as const satisfies Record<string, z.ZodMiniType>;

export type ConfKey = keyof typeof CONF_KEYS;

/** Keys of older releases, and what is to be done about them. Keys below a table are meant too. */
export const DEPRECATED_KEYS: Readonly<Record<string, string>> = {
  'storage.rootless_storage_path': 'set graphroot in a file that only rootless users read',
  'storage.options.imagestore': 'it has no effect; set imagestore in the [storage] table',
  'storage.options.use_composefs': 'it has no effect; set it in [storage.options.overlay]',
  'storage.options.remap-uids': 'it has no effect; give the maps when a container is made',
  'storage.options.remap-gids': 'it has no effect; give the maps when a container is made',
  'storage.options.remap-user': 'it has no effect; give the maps when a container is made',
  'storage.options.remap-group': 'it has no effect; give the maps when a container is made',
  'storage.options.ostree_repo': 'it has no effect',
  'storage.options.override_kernel_check': 'it has no effect',
  'storage.options.overlay.override_kernel_check': 'it has no effect',
  'storage.options.thinpool': 'it has no effect; the devicemapper driver is gone',
  'storage.options.aufs': 'it has no effect; the aufs driver is gone',
};
