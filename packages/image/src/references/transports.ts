/** Every form that images are read from and written to. */
export const TRANSPORTS = ['docker-archive', 'oci', 'oci-archive', 'dir', 'containers-storage'] as const;

export type Transport = (typeof TRANSPORTS)[number];
