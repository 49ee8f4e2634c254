import { existsSync, writeFileSync } from 'node:fs';
import { getPriority, setPriority } from 'node:os';

/**
 * Takes a priority for this process, which has to look at memory meanwhile, and for what it starts. Where the
 * kernel shares out time by sessions first (autogroup), the niceness of a process says nothing to other sessions,
 * so that of the session is set as well.
 *
 * @param {number | undefined} nice -20 to 19; undefined: nothing is changed
 * @returns {{ giveTo: (leader: number | undefined) => void, end: () => void }} `giveTo`: sets that of another session,
 *   by its leader; `end`: gives back that of this process
 */
export function takePriority(nice) {
  if (nice === undefined) return { giveTo: () => undefined, end: () => undefined };
  const before = getPriority();
  setPriority(nice);
  setSessionPriority('self', nice);
  return {
    giveTo: (leader) => {
      if (leader !== undefined) setSessionPriority(String(leader), nice);
    },
    end: () => {
      setPriority(before);
      setSessionPriority('self', 0);
    },
  };
}

/**
 * @param {string} process its number in /proc
 * @param {number} nice
 */
function setSessionPriority(process, nice) {
  const file = `/proc/${process}/autogroup`;
  if (existsSync(file)) writeFileSync(file, String(nice));
}
