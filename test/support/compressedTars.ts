/** A tar with one file, in the forms of compression that Node.js cannot make. */
const decode = (text: string): Buffer => Buffer.from(text, 'base64');

/** Made by `zstd -19 --check`. */
export const zstdTar = decode(
  'KLUv/WQACW0CAELDCxGQzwHwoDC3uzPeyBCnqX9eKX6usaUSOmYLGeL+LRWd1QfeJef7uxRzuwhfYNQFCiAgMfS82i+0DHXNow44sQQ7RousQQMMJyMHdRO1uA==',
);

/** Made by `xz`. */
export const xzTar = decode(
  '/Td6WFoAAATm1rRGAgAhARYAAAB0L+Wj4An/AFRdADKdCIYUWZMk7jPaH9u+VnU8oPdCuaJQrtwcTmiwCRXk+LfuZYGAeIt205U+zmAGZIipiILJa7z6ySDQ6qUPONm1wu+ZqGapE56SSxEv0IEYXEgxAADT+cUGcI/nxAABcIAUAAAARqnqprHEZ/sCAAAAAARZWg==',
);

/** Made by `bzip2`. */
export const bzip2Tar = decode(
  'QlpoOTFBWSZTWeTHltEAAMVbhMyAQAD/4ABAfyQeABAACAggAIkJJTQaaAAaAAVKoepoNANqaBpp6mtHzMiMoIt5ueUQacQwNGtyTnyCNHIgkH1IjoR1IrxrUi/DTQi+hG64jYR3I1sSM/RGj2RgR9yIt8Iyxz32tdbmH4u5IpwoSHJjy2iA',
);
