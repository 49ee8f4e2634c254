import { crypto } from '../lazyModules.ts';

/**
 * A random id of a layer, image or container: 64 lower-case hex digits. Drawn again while the first
 * twelve are all decimal (a short id must never look like a number) and while `inUse` says so.
 */
export function randomId(inUse: (id: string) => boolean = () => false): string {
  for (;;) {
    const id = crypto().randomBytes(32).toString('hex');
    if (!/^\d{12}/.test(id) && !inUse(id)) return id;
  }
}
