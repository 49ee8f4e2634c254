/** An id or digest as tables show it: twelve hexadecimal digits, which both podman and docker use. */
export function shortId(idOrDigest: string): string {
  const hex = idOrDigest.slice(idOrDigest.indexOf(':') + 1);
  return /^[0-9a-f]{64,}$/.test(hex) ? hex.slice(0, 12) : idOrDigest;
}
