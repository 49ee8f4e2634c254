import { PEER_PROGRAMS, type PeerName } from '../../scripts/lib/peerPrograms.js';
import { peersSkipReason, peerVersion } from './peers.ts';

/** Prints once, before the peer suites, which programs judge. */
export function setup(): void {
  if (peersSkipReason) return;
  for (const name of Object.keys(PEER_PROGRAMS) as PeerName[]) {
    process.stdout.write(`peer ${name}: ${peerVersion(name)}\n`);
  }
}
